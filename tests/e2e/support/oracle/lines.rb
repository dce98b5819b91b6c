require "base64"
require "json"

require_relative "verdict"

module Oracle
  # Judges messages that come as lines of JSON on standard input, for a test that asks about many it has in memory.
  class Lines
    def initialize(chatwoot)
      @chatwoot = chatwoot
    end

    def run
      $stdin.each_line do |line|
        message = JSON.parse(line)
        puts JSON.generate({ name: message["name"] }.merge(verdict(Base64.strict_decode64(message["bytes"]))))
        $stdout.flush
      end
      0
    end

    private

    def verdict(bytes)
      verdict = Verdict.new(bytes, @chatwoot)
      {
        route: verdict.words, to: verdict.list(:to), cc: verdict.list(:cc), from: verdict.from_usable ? verdict.from : nil,
        message_id_stable: verdict.message_id_stable, text: verdict.text? ? verdict.text : nil, replaced: verdict.replaced,
        attachments: verdict.attachments.to_a.map { |file| [file[:filename], file[:sha256]] }, automatic: verdict.automatic
      }
    end
  end
end

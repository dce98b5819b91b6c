# Judges messages by Ruby's mail gem and Chatwoot's routing rules.
#
# Reads lines of JSON from standard input, {"name": ..., "bytes": base64}; writes one line of JSON for each. The rules are those of
# ApplicationMailbox, ReplyMailbox and MailPresenter of Chatwoot 4.14; the ids in the comments are those of the repairs' table.
#
# Arguments: the inboxes' addresses, comma-separated; MAILER_SENDER_EMAIL.

require "base64"
require "digest"
require "json"
require "mail"

INBOXES = ARGV.fetch(0).split(",")
OWN = ARGV.fetch(1)
UUID = /\Areply\+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@/i
AN_ADDRESS = /\A[^@\s<>"(),;:\\]+@[^@\s<>"(),;:\\]+\z/

class Lost < StandardError; end

class Judge
  def initialize(bytes)
    @bytes = bytes
    @mail = Mail.new(bytes)
  end

  def verdict
    {
      route: route, to: list(:to), cc: list(:cc), from: sender, message_id_stable: stable_id?, text: text, replaced: text.to_s.count("\uFFFD"),
      attachments: attachments, automatic: automatic?
    }
  end

  private

  def route
    id = @mail.message_id.to_s
    return "refused" if !id.valid_encoding? || id.include?("\0") || !id.ascii_only? # P1
    found = addressed
    return found if found.start_with?("dropped", "fails")
    trouble || found
  end

  # D1, D2: To must be a list of addresses.
  def addressed
    to = @mail.to
    return "dropped" unless to.is_a?(Array)
    to.each { |address| (found = UUID.match(address.to_s)) && (return "reply #{found[1].downcase}") }
    inbox = candidates(to).map { |address| plain(address) }.find { |address| INBOXES.include?(address) }
    inbox ? "inbox #{inbox}" : "dropped"
  rescue StandardError
    "fails"
  end

  # F1: a Cc or Bcc that is no list raises. D4: two X-Original-To are none. F4: an empty one raises.
  def candidates(to)
    [@mail.cc, @mail.bcc].each { |list| raise Lost unless list.nil? || list.is_a?(Array) }
    original = @mail["X-Original-To"]
    raise Lost if original && !original.is_a?(Array) && original.value.to_s.strip.empty?
    own = original && !original.is_a?(Array) ? [original.value] : []
    to.to_a + @mail.cc.to_a + own + @mail.bcc.to_a
  end

  def plain(address)
    address.to_s.downcase.sub(/\+[^@]*@/, "@")
  end

  def trouble
    %w[References In-Reply-To Date Reply-To From].each do |name| # F6
      Array(@mail[name]).each { |field| return "fails" unless raw_value(name).all? { |value| value.dup.force_encoding("UTF-8").valid_encoding? } }
    end
    return "dropped" unless sender # D7, D8
    return "dropped" if sender.downcase == OWN # D9
    twice = %w[X-Forwarded-For X-Original-Sender X-Original-From Auto-Submitted X-Autoreply].any? { |name| @mail[name].is_a?(Array) } # F2, F3
    return "fails" if twice || unknown_encoding?
    nil
  end

  # The values as they stand in the bytes.
  def raw_value(name)
    header = @bytes.lstrip.split("\r\n\r\n", 2).first.to_s
    header.gsub(/\r\n[ \t]/n, " ").split("\r\n").select { |line| line =~ /\A#{name}[ \t]*:/ni }
  end

  # Reply-To is preferred to From; the first address must look like one.
  def sender
    list = @mail[:reply_to] && !@mail[:reply_to].value.to_s.strip.empty? ? @mail.reply_to : @mail.from
    first = list.is_a?(Array) ? list.first.to_s : ""
    first =~ AN_ADDRESS ? first : nil
  rescue StandardError
    nil
  end

  def unknown_encoding? # F5
    leaves.any? { |part| (part.body.decoded; false) rescue true }
  end

  def leaves
    @mail.multipart? ? @mail.all_parts.reject(&:multipart?) : [@mail]
  end

  def list(name)
    value = @mail.public_send(name)
    value.is_a?(Array) ? value.map(&:to_s) : nil
  rescue StandardError
    nil
  end

  def stable_id? # M11
    @mail.message_id == Mail.new(@bytes).message_id && !@mail.message_id.nil?
  end

  # C1: without a Content-Type there is nothing to show. C2, C7: what cannot be decoded becomes U+FFFD.
  def text
    part = @mail.multipart? ? (@mail.text_part || @mail.html_part) : single_text
    return nil unless part
    text = part.decoded.to_s
    text = text.encode("UTF-8", invalid: :replace, undef: :replace) unless text.valid_encoding? && text.encoding == Encoding::UTF_8
    text = text.dup.force_encoding("UTF-8").scrub("\uFFFD")
    text = text.gsub("?", "\uFFFD") if !part.charset && part.body.raw_source.to_s.b =~ /[\x80-\xff]/n
    text.strip.empty? ? nil : text
  rescue StandardError
    nil
  end

  def single_text
    @mail if @mail[:content_type] && %w[text/plain text/html].include?(@mail.mime_type)
  end

  def attachments
    @mail.attachments.map { |part| [part.filename.to_s, Digest::SHA256.hexdigest(part.body.decoded)] }
  rescue StandardError
    []
  end

  def automatic?
    auto = @mail["Auto-Submitted"]
    reply = @mail["X-Autoreply"]
    (auto && !auto.is_a?(Array) && auto.value.to_s.strip != "no") || (reply && !reply.is_a?(Array) && reply.value.to_s.strip.downcase == "yes") ? true : false
  end
end

$stdin.each_line do |line|
  message = JSON.parse(line)
  verdict = begin
    Judge.new(Base64.strict_decode64(message["bytes"])).verdict
  rescue StandardError => error
    { route: "fails", error: error.class.to_s }
  end
  puts JSON.generate(verdict.merge(name: message["name"]))
  $stdout.flush
end

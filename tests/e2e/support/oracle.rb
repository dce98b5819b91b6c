# Judges messages by Ruby's mail gem and Chatwoot's rules: where each would be filed, and what would be seen of it.
#
#   oracle.rb [OPTIONS] FILE...         one line of JSON for each file
#   oracle.rb [OPTIONS] --stdin-list    the same for the paths on standard input, one a line
#   oracle.rb --check CORPUS.TSV        prints where the column "route as it came" is wrong, with LF and with CRLF line ends
#   oracle.rb INBOX,INBOX OWN_SENDER    reads lines {"name": ..., "bytes": BASE64}, writes verdicts with routes in the table's words
#
# Options: --inbox ADDR (repeatable), the inboxes' addresses; --mailer-sender ADDR, Chatwoot's MAILER_SENDER_EMAIL. With neither, those
# of the corpus. Exit status: 0; 1 when --check found a disagreement; 64 for usage; 66 when a file cannot be read.
#
# The gem's version decides: Debian 12 has 2.7.1; Debian 13 has 2.8.1, as Chatwoot 4.14 and 4.15 bring it.

require "optparse"

require_relative "oracle/verdict"
require_relative "oracle/corpus_check"
require_relative "oracle/lines"

module Oracle
  # What the corpus in tests/mail takes for granted.
  CORPUS = Chatwoot.new(inboxes: %w[support@example.com sales@example.com], mailer_sender: "noreply@example.com")

  # The command line, as a table of what was asked for.
  class CommandLine
    attr_reader :files

    def initialize(words)
      @inboxes = []
      @files = parser.parse(words)
    rescue OptionParser::ParseError => error
      usage(error.message)
    end

    def run
      return CorpusCheck.new(@check, CORPUS).run if @check
      return Lines.new(Chatwoot.new(inboxes: files[0].split(","), mailer_sender: files[1])).run if lines?

      paths = @stdin_list ? $stdin.each_line(chomp: true).reject(&:empty?) : files
      usage("no file to judge") if paths.empty? && !@stdin_list
      paths.each { |path| puts JSON.generate({ file: path }.merge(Verdict.new(File.binread(path), chatwoot).to_h)) }
      0
    rescue SystemCallError => error
      warn "oracle.rb: #{error.message}"
      66
    end

    private

    def parser
      OptionParser.new do |options|
        options.on("--inbox ADDR") { |address| @inboxes << address }
        options.on("--mailer-sender ADDR") { |address| @mailer_sender = address }
        options.on("--stdin-list") { @stdin_list = true }
        options.on("--check TSV") { |path| @check = path }
      end
    end

    def chatwoot
      return CORPUS if @inboxes.empty? && @mailer_sender.nil?

      Chatwoot.new(inboxes: @inboxes, mailer_sender: @mailer_sender)
    end

    # Two words that are addresses, not files: messages come on standard input.
    def lines?
      files.length == 2 && files.all? { |word| word.include?("@") && !File.exist?(word) }
    end

    def usage(message)
      warn "oracle.rb: #{message}"
      exit 64
    end
  end
end

exit Oracle::CommandLine.new(ARGV).run

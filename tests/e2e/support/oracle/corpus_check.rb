require_relative "verdict"

module Oracle
  # Holds the column "route as it came" of corpus.tsv against the verdicts, for the files as they are and with CRLF line ends.
  class CorpusCheck
    FILE = 0
    BEFORE = 4

    def initialize(table, chatwoot)
      @table = table
      @chatwoot = chatwoot
    end

    # 0 when every message agrees, else 1.
    def run
      checked = rows.map { |row| disagreements(row) }
      found = checked.flatten + unlisted
      puts found
      puts "#{checked.length} messages, #{found.length} disagreements"
      found.empty? ? 0 : 1
    end

    private

    def rows
      File.readlines(@table, chomp: true).reject { |line| line.start_with?("#") }.map { |line| line.split("\t") }
    end

    def disagreements(row)
      bytes = File.binread(File.join(File.dirname(@table), row[FILE]))
      { "as it is" => bytes, "with CRLF" => bytes.gsub(/(?<!\r)\n/n, "\r\n") }.filter_map do |how, message|
        verdict = Verdict.new(message, @chatwoot)
        next if verdict.words == row[BEFORE]

        "#{row[FILE]} #{how}: the table says #{row[BEFORE]}, the verdict is #{verdict.words} (#{verdict.route[:why]})"
      end
    end

    def unlisted
      files = Dir.children(File.dirname(@table)).select { |name| name.end_with?(".eml") } - rows.map(&:first)
      files.sort.map { |name| "#{name}: is not in the table" }
    end
  end
end

require "digest"
require "mail"

module Oracle
  # What is shown of a message: its text and its attachments.
  #
  # Readers raise Mail::Body::UnknownEncodingType for a Content-Transfer-Encoding that the gem does not know (F5).
  class Content
    REPLACEMENT = "\u{FFFD}".freeze
    # Chatwoot keeps the last ones (D16).
    MOST_ATTACHMENTS = 15

    def initialize(mail)
      @mail = mail
    end

    # The text as it is stored: that of the first text/plain part, else that of the first text/html part; "" when there is neither.
    def text
      plain = shown(@mail.text_part, "text/plain")
      blank?(plain) ? shown(@mail.html_part, "text/html") : plain
    end

    # Whether a reader sees anything: HTML counts without its markup.
    def text?
      !blank?(shown(@mail.text_part, "text/plain")) || !blank?(bare(shown(@mail.html_part, "text/html")))
    end

    # C2, C7: how many characters of the text stand for ones that were lost.
    def replaced
      part = source
      return 0 unless part

      decoded = part.decoded.to_s
      signs = unicode(decoded).b.count("?") - decoded.b.count("?")
      [signs, 0].max + [count(decoded, REPLACEMENT) - genuine(part), 0].max
    end

    # Name and SHA-256 of the decoded content of each, those inside message/rfc822 parts included, the message/rfc822 parts not (C4).
    def attachments
      @mail.attachments.map { |part| { filename: name(part), sha256: Digest::SHA256.hexdigest(part.body.to_s) } }
    end

    private

    # C1, C3: a single part is shown only when its Content-Type says text/plain or text/html.
    def shown(part, type)
      decoded = part ? part.decoded : (multipart? ? "" : @mail.decoded)
      says?(@mail, type) || (part && says?(part, type)) ? unicode(decoded) : ""
    end

    def multipart?
      @mail.content_type.to_s.include?("multipart") || @mail.parts.any?
    end

    def says?(entity, type)
      entity.content_type.to_s.include?(type)
    end

    # C2: what the gem leaves as bytes, because no charset is named, loses every character beyond ASCII.
    def unicode(text)
      return "" if blank?(text)
      return text if text.encoding == Encoding::UTF_8

      text.encode(text.encoding, Encoding::UTF_8, invalid: :replace, undef: :replace, replace: "?")
    rescue EncodingError
      ""
    end

    # The part or message whose text is shown.
    def source
      part = @mail.text_part || @mail.html_part
      part || (@mail unless multipart? || blank?(text))
    end

    # U+FFFD that the sender wrote.
    def genuine(part)
      bytes = part.body.decoded.dup.force_encoding(Encoding::UTF_8)
      bytes.valid_encoding? ? bytes.count(REPLACEMENT) : 0
    end

    def count(text, character)
      text.encoding == Encoding::UTF_8 ? text.scrub.count(character) : 0
    end

    def name(part)
      part.filename.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    end

    def bare(html)
      html.b.gsub(/<(script|style|head|title)\b.*?<\/\1\s*>/mi, "").gsub(/<[^>]*>/m, "").gsub(/&nbsp;|&#160;|\xC2\xA0/n, " ")
    end

    def blank?(text)
      text.nil? || text.b.match?(/\A[\s\0]*\z/n)
    end
  end
end

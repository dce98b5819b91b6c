require "json"

require_relative "content"
require_relative "message"

module Oracle
  # Where a message ends: a conversation, an inbox, dropped, raised over in the job, or refused by the endpoint.
  #
  # The rules are those of Chatwoot 4.14 (ApplicationMailbox, ReplyMailbox, EmailChannelFinder, MailPresenter), with the ids of the
  # repairs' table. In-Reply-To and References are not here: they only choose a conversation of the inbox.
  class Route
    REPLY = /\Areply\+(\h{8}-\h{4}-\h{4}-\h{4}-\h{12})\z/i.freeze

    def initialize(message, chatwoot)
      @message = message
      @chatwoot = chatwoot
    end

    # {kind: "reply", uuid:}, {kind: "inbox", inbox:}, {kind: "dropped", why:}, {kind: "raises", why:}, {kind: "refused", why:}.
    def to_h
      refusal || address_loss || destination_or_loss
    rescue NoMethodError => error
      { kind: "raises", why: "To: #{error.class}" }
    end

    # Everything the job raises over, {id:, error:, message:}; it stops at the first. F1 and F4 only when To holds no conversation's address.
    def raises
      ids = %w[D8 F2 F3 F5 F6]
      ids = %w[F1 F4] + ids unless error_of { reply_uuid }.nil? && reply_uuid
      ids.filter_map do |id|
        error = error_of { public_send(:"look_for_#{id.downcase}") }
        { id: id, error: error.class.name, message: readable(error.message) } if error
      end
    end

    # D8: Reply-To is preferred for the list of senders too, and an address in it that is nil (`Jane <jane>`) has no lower case.
    def look_for_d8
      @message.senders
    end

    # F1: a Cc or Bcc that is no list is a String, and has no to_a.
    def look_for_f1
      [@message.addresses(:cc), @message.addresses(:bcc)].each(&:to_a)
    end

    # F4: an empty X-Original-To has no local part.
    def look_for_f4
      normal(@message.original_to) unless @message.original_to.nil?
    end

    # F2: several of one are an Array, and have no value.
    def look_for_f2
      %w[X-Forwarded-For X-Original-Sender X-Original-From].each { |name| @message.value(name) }
    end

    def look_for_f3
      @message.automatic?
    end

    def look_for_f5
      content = Content.new(@message.mail)
      content.text
      content.attachments
    end

    # F6: bytes that are no UTF-8 can neither be matched nor written down as JSON with the message.
    def look_for_f6
      JSON.generate(written_down)
    end

    private

    # P1: the endpoint itself cannot store such a Message-ID (a NUL: PostgreSQL cannot); 8-bit bytes that are UTF-8 it can. M11 and D12
    # are no matter of routes.
    def refusal
      id = @message.message_id.to_s.dup.force_encoding(Encoding::UTF_8)
      { kind: "refused", why: "P1: Message-ID with bytes that are not UTF-8, or NUL" } unless id.valid_encoding? && !id.include?("\0")
    rescue StandardError
      nil
    end

    # D1, D2: To must be there and parse; one that makes the gem itself raise fails the job.
    def address_loss
      return if @message.list?(:to)

      { kind: "dropped", why: @message.addresses(:to).nil? ? "D1: no To" : "D2: To cannot be parsed" }
    rescue StandardError => error
      { kind: "raises", why: "To: #{error.class}" }
    end

    def destination_or_loss
      where = reply_uuid ? { kind: "reply", uuid: reply_uuid } : inbox_or_loss
      return where unless %w[reply inbox].include?(where[:kind])

      job_loss || where
    end

    # The first in To. Raises where the gem lists an address that is nil, as for `To: Support <support>`.
    def reply_uuid
      return nil unless @message.list?(:to)

      @message.addresses(:to).each do |address|
        found = REPLY.match(address.split("@").first)
        return found[1].downcase if found
      end
      nil
    end

    # To, Cc, the single bare X-Original-To, Bcc, in that order (M1: the first match takes the mail).
    def inbox_or_loss
      inbox = candidates.map { |address| normal(address) }.find { |address| @chatwoot.inboxes.include?(address) }
      inbox ? { kind: "inbox", inbox: inbox } : { kind: "dropped", why: why_nowhere }
    rescue NoMethodError => error
      id = error_of { look_for_f1 } ? "F1" : "F4"
      { kind: "raises", why: "#{id}: #{error.class}" }
    end

    def candidates
      @message.addresses(:to).to_a + @message.addresses(:cc).to_a + [@message.original_to].compact + @message.addresses(:bcc).to_a
    end

    # Lower-cased, without +tag. Raises for a text without a local part.
    def normal(address)
      parts = address.split("@")
      "#{parts.first.split('+').first}@#{parts.last}".downcase
    end

    def why_nowhere
      original = @message.text_field("X-Original-To")
      return "D4: X-Original-To stands #{original.length} times" if original.is_a?(Array)
      return "D5: X-Original-To is no bare address" if original && !original.value.match?(/\A[^\s<>,;"]+@[^\s<>,;"]+\z/)
      return "D6: a reply address, but not in To" if candidates.any? { |address| REPLY.match?(address.to_s.split("@").first.to_s) }

      "D3: no inbox among To, Cc, X-Original-To, Bcc"
    end

    # D7, D8, D9 drop what would begin a conversation; an answer to one needs no sender. The rest raises when the message is written down.
    def job_loss
      error = error_of { @message.sender }
      return { kind: "raises", why: "#{@message.text_field('X-Original-Sender').is_a?(Array) ? 'F2' : 'D7'}: #{error.class}" } if error
      return { kind: "dropped", why: "D9: from MAILER_SENDER_EMAIL" } if reply_uuid.nil? && @chatwoot.own?(@message.sender)
      return { kind: "dropped", why: "#{sender_id}: the sender has no usable address" } unless reply_uuid || @message.usable_sender?

      error = raises.first || nameless
      error && { kind: "raises", why: "#{error[:id]}: #{error[:error]}" }
    end

    # A new contact needs a name: that of Reply-To or From, even when the address is that of X-Original-Sender.
    def nameless
      error = error_of { @message.sender_name } unless reply_uuid
      error && { id: "D7", error: error.class.name }
    end

    # D8 where Reply-To hides a good From.
    def sender_id
      from = @message.mail[:from]&.value
      good = from && Mail::Address.new(from).address.to_s.match?(Message::AN_ADDRESS)
      good ? "D8" : "D7"
    rescue StandardError
      "D7"
    end

    # What is kept with the message, as MailPresenter collects it; a Cc that is no list as the text it is. Subjects are made UTF-8 on the
    # way. Of Reply-To and From it keeps the first that is there; both count here, as in the table.
    def written_down
      mail = @message.mail
      lists = [mail.to, mail.cc, mail.bcc, mail.reply_to, mail.from].map { |list| Array(list) }
      forwarding = %w[X-Forwarded-For X-Original-Sender X-Original-From].map { |name| one(name) }
      [lists, forwarding, mail.content_type, @message.date, mail.message_id, mail.in_reply_to, mail.references]
    end

    def one(name)
      field = @message.text_field(name)
      field.is_a?(Array) ? nil : field&.value
    end

    def error_of
      yield
      nil
    rescue StandardError => error
      error
    end

    def readable(text)
      text.dup.force_encoding(Encoding::UTF_8).scrub("?")[0, 120]
    end
  end
end

require "mail"

module Oracle
  # A message as Rails' Action Mailbox hands it to Chatwoot, and the fields as Chatwoot reads them.
  #
  # Readers raise what the mail gem raises, and NoMethodError where Chatwoot would send a message to nil, a String or an Array.
  class Message
    # What Devise takes for an e-mail address.
    AN_ADDRESS = /\A[^@\s]+@[^@\s]+\z/.freeze

    attr_reader :mail

    # The mail gem is given the stored bytes with every lone CR and LF made CRLF, as ActionMailbox's Mail.from_source does: so a line
    # that ends in CRCRLF becomes two (D14).
    def initialize(bytes)
      @bytes = bytes.b
      @mail = self.class.parse(@bytes)
    end

    def self.parse(bytes)
      Mail.new(Mail::Utilities.binary_unsafe_to_crlf(bytes))
    end

    # A random one on every parse when the field is empty (M11).
    def message_id
      @mail.message_id
    end

    def message_id_again
      self.class.parse(@bytes).message_id
    end

    # A String where the field is no list of addresses (D2, F1), nil where there is none (D1).
    def addresses(name)
      @mail.public_send(name)
    end

    def list?(name)
      addresses(name).instance_of?(Mail::AddressContainer)
    end

    # A field that the gem keeps as text. Several are an Array, which has no value.
    def text_field(name)
      @mail[name]
    end

    def value(name)
      text_field(name)&.value
    end

    # D4, D5: one field's whole text, compared as it stands; several count as none.
    def original_to
      field = text_field("X-Original-To")
      field.is_a?(Array) ? nil : field&.value
    end

    # D7, D8: the first that parses of Reply-To, X-Original-Sender and From; of a list, its first address. F2: several X-Original-Sender.
    def sender
      [@mail[:reply_to]&.value, value("X-Original-Sender"), @mail[:from]&.value].filter_map { |text| first_address(text)&.address }.first
    end

    def usable_sender?
      AN_ADDRESS.match?(sender.to_s)
    end

    # The name a new contact gets: without one, the local part of the first address.
    def sender_name
      first_address((@mail[:reply_to] || @mail[:from]).value)&.name || senders.first.split("@").first
    end

    def senders
      Array(present(@mail.reply_to) || @mail.from).map(&:downcase)
    end

    # Loops: anything but exactly "no" in Auto-Submitted; exactly "yes" in X-Autoreply. F3: several of one.
    def automatic?
      submitted = text_field("Auto-Submitted")
      return true if submitted && submitted.value != "no"

      reply = text_field("X-Autoreply")
      !reply.nil? && reply.value == "yes"
    end

    # A date that nothing can read stays text, as it came. Only 2.7.1 raises over it.
    def date
      @mail.date.to_s
    rescue Mail::Field::ParseError
      @mail[:date].unparsed_value
    end

    private

    def first_address(text)
      present(text) && Mail::Address.new(text)
    rescue Mail::Field::ParseError
      nil
    end

    def present(value)
      Mail::Utilities.blank?(value) ? nil : value
    end
  end
end

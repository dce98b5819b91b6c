require "mail"

module Oracle
  # One Chatwoot: the addresses of its inboxes, and the address it sends from.
  class Chatwoot
    attr_reader :inboxes

    def initialize(inboxes:, mailer_sender: nil)
      @inboxes = inboxes.map(&:downcase)
      @own_sender = mailer_sender && Mail::Address.new(mailer_sender).address
    end

    # D9: compared without regard to case.
    def own?(address)
      !@own_sender.nil? && address.to_s.casecmp?(@own_sender)
    end
  end
end

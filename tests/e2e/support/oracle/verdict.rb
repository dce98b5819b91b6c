require "json"

require_relative "chatwoot"
require_relative "content"
require_relative "message"
require_relative "route"

module Oracle
  # Everything there is to say of one message.
  class Verdict
    # The kinds of routes, in the words of the corpus' table.
    WORDS = { "raises" => "fails" }.freeze

    def initialize(bytes, chatwoot)
      @message = Message.new(bytes)
      @content = Content.new(@message.mail)
      @route = Route.new(@message, chatwoot)
    end

    def to_h
      addressees.merge(sender).merge(identity).merge(seen).merge(raises: @route.raises, automatic: try { @message.automatic? }, route: route)
    end

    # `reply UUID`, `inbox ADDR`, `dropped`, `fails`, `refused`.
    def words
      kind = route[:kind]
      [WORDS.fetch(kind, kind), route[:uuid] || route[:inbox]].compact.join(" ")
    end

    def route
      @route_taken ||= @route.to_h
    end

    # nil where it is no list.
    def list(name)
      try { @message.list?(name) } ? @message.addresses(name).map { |address| printable(address) } : nil
    end

    def from
      address = try { @message.sender }
      address && printable(address)
    end

    def from_usable
      try { @message.usable_sender? } || false
    end

    # M11, D12: the same on every parse, and there.
    def message_id_stable
      id = try { @message.message_id }
      !id.nil? && id == try { @message.message_id_again }
    end

    def text
      text = try { @content.text }
      text && printable(text)
    end

    def text?
      try { @content.text? } || false
    end

    def replaced
      try { @content.replaced } || 0
    end

    # nil where they cannot be decoded.
    def attachments
      try { @content.attachments }
    end

    def automatic
      try { @message.automatic? } || false
    end

    private

    def addressees
      {
        to_parses: try { @message.list?(:to) } || false, to: list(:to), cc: list(:cc), bcc: list(:bcc),
        cc_raises: no_list?(:cc), bcc_raises: no_list?(:bcc), x_original_to: printable_or_nil(try { @message.original_to })
      }
    end

    def sender
      { from_usable: from_usable, from: from, reply_to: list(:reply_to) }
    end

    def identity
      { message_id: printable_or_nil(try { @message.message_id }), message_id_stable: message_id_stable }
    end

    def seen
      files = attachments
      listed = files && { count: files.length, lost: [files.length - Content::MOST_ATTACHMENTS, 0].max, files: files }
      { has_text: text?, replacement: replaced, attachments: listed }
    end

    # F1: what stands there is no list, and raises.
    def no_list?(name)
      @message.addresses(name).to_a
      false
    rescue StandardError
      true
    end

    def try
      yield
    rescue StandardError
      nil
    end

    def printable_or_nil(text)
      text && printable(text)
    end

    def printable(text)
      text.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    end
  end
end

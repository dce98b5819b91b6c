# A real Action Mailbox in one file, with Chatwoot's routing rules written down instead of carried out.
#
# Environment: FOLDER (where the database, the files and routes.jsonl go), SERVICE (relay, sendgrid, ...),
# PASSWORD, SIGNING_KEY (of Mailgun and Mandrill), INBOXES (addresses, comma-separated), FORCE_SSL (redirects to https),
# SECONDS_AHEAD (of the true time, which its clock shows).

require "json"
require "digest"
require "rails"
require "action_controller/railtie"
require "active_record/railtie"
require "active_job/railtie"
require "active_storage/engine"
require "action_mailbox/engine"

FOLDER = ENV.fetch("FOLDER")
INBOXES = ENV.fetch("INBOXES", "support@example.com,sales@example.com").split(",")

ENV["DATABASE_URL"] = "sqlite3:#{FOLDER}/app.sqlite3?pool=40"
ENV["RAILS_INBOUND_EMAIL_PASSWORD"] = ENV["PASSWORD"] if ENV["PASSWORD"]
ENV["MAILGUN_INGRESS_SIGNING_KEY"] = ENV["SIGNING_KEY"] if ENV["SIGNING_KEY"]
ENV["MANDRILL_INGRESS_API_KEY"] = ENV["SIGNING_KEY"] if ENV["SIGNING_KEY"]

if (ahead = ENV["SECONDS_AHEAD"])
  Time.singleton_class.prepend(Module.new { define_method(:now) { |*options, **zone| super(*options, **zone) + ahead.to_i } })
end

class App < Rails::Application
  config.root = FOLDER
  config.load_defaults 6.1
  config.eager_load = true
  config.secret_key_base = "not a secret, the application lives on loopback for one test"
  config.action_mailbox.ingress = ENV.fetch("SERVICE", "relay").to_sym
  config.action_mailbox.incinerate = false
  config.active_storage.service = :disk
  config.active_storage.service_configurations = { disk: { service: "Disk", root: "#{FOLDER}/files" } }
  config.active_job.queue_adapter = :async
  config.active_record.dump_schema_after_migration = false
  config.hosts.clear
  # Redirects http to https.
  config.force_ssl = ENV.key?("FORCE_SSL")
  config.logger = ActiveSupport::Logger.new("#{FOLDER}/app.log")
  config.log_level = :info
end

# What Chatwoot's ApplicationMailbox decides: To must be a list of addresses; a reply address in it, else an inbox among To, Cc, the bare
# X-Original-To and Bcc.
class ApplicationMailbox < ActionMailbox::Base
  REPLY = /\Areply\+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@/i

  routing all: :record
end

class RecordMailbox < ApplicationMailbox
  LOCK = Mutex.new

  def process
    route = begin
      decide
    rescue StandardError => error
      "raises #{error.class}"
    end
    raw = inbound_email.raw_email.download
    line = JSON.generate(id: inbound_email.id, message_id: inbound_email.message_id, route: route,
                         x_original_to: Array(mail["X-Original-To"]).map(&:to_s), sha256: Digest::SHA256.hexdigest(raw))
    LOCK.synchronize { File.open("#{FOLDER}/routes.jsonl", "a") { |file| file.puts(line) } }
  end

  private

  def decide
    return "dropped" unless mail.to.is_a?(Array)

    mail.to.each { |address| (found = REPLY.match(address)) && (return "reply #{found[1].downcase}") }
    inbox = candidates.map { |address| plain(address) }.find { |address| INBOXES.include?(address) }
    inbox ? "inbox #{inbox}" : "dropped"
  end

  def candidates
    original = mail["X-Original-To"]
    mail.to + (mail.cc || []).to_a + (original.is_a?(Mail::Field) ? [original.value] : []) + (mail.bcc || []).to_a
  end

  def plain(address)
    address.downcase.sub(/\+[^@]*@/, "@")
  end
end

# SQLite takes one writer at a time, and its own busy timeout holds Ruby's lock: wait in Ruby instead.
module PatientSqlite
  def configure_connection
    super
    raw_connection.busy_handler { |tries| sleep(0.005) if tries < 20_000 }
  end

  def begin_db_transaction
    raw_connection.transaction(:immediate)
  end
end

App.initialize!
require "active_record/connection_adapters/sqlite3_adapter"
ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(PatientSqlite)

App.routes.draw {}
paths = %w[activestorage actionmailbox].map { |gem| "#{Gem::Specification.find_by_name(gem).gem_dir}/db/migrate" }
ActiveRecord::MigrationContext.new(paths, ActiveRecord::SchemaMigration).migrate
ActiveRecord::Base.connection.execute("PRAGMA journal_mode = WAL")

# GET /records: the stored messages, in order; GET /records/ID: the stored bytes.
class Records
  def call(env)
    case env["PATH_INFO"]
    when "/records"
      rows = ActionMailbox::InboundEmail.order(:id).map { |record| { id: record.id, status: record.status, message_id: record.message_id } }
      [200, { "Content-Type" => "application/json" }, [JSON.generate(rows)]]
    when %r{\A/records/(\d+)\z}
      [200, { "Content-Type" => "message/rfc822" }, [ActionMailbox::InboundEmail.find($1).raw_email.download]]
    end
  end
end

records = Records.new
run ->(env) { records.call(env) || App.call(env) }

# A real Action Mailbox in one file, with Chatwoot's routing rules written down instead of carried out.
#
# What takes time, loading and the tables, is the same for every installation; what one is, stands in the environment:
# FOLDER (where the database, the files and routes.jsonl go), SERVICE (relay, sendgrid, ...), PASSWORD, SIGNING_KEY (of Mailgun and
# Mandrill), INBOXES (addresses, comma-separated), FORCE_SSL (redirects to https), SECONDS_AHEAD (of the true time, which its clock
# shows).

require "digest"
require "fileutils"
require "json"
require "tmpdir"
require "rails"
require "action_controller/railtie"
require "active_record/railtie"
require "active_job"
require "active_job/railtie"
require "active_storage/engine"
require "action_mailbox/engine"

# It goes nowhere until there is an installation; a logger that was made for the name of the null device would never go elsewhere.
LOGGER = ActiveSupport::Logger.new(File.open(File::NULL, "a"))

# The queue of Chatwoot is in Redis. While there is a file queue-down it cannot be reached: the record is stored by then, the job is not queued.
class MortalQueue < ActiveJob::QueueAdapters::AsyncAdapter
  def enqueue(job)
    raise "cannot connect to the queue" if File.exist?("#{Installation.folder}/queue-down")

    super
  end
end

class App < Rails::Application
  config.root = Dir.tmpdir
  config.load_defaults 6.1
  config.eager_load = true
  config.secret_key_base = "not a secret, the application lives on loopback for one test"
  config.action_mailbox.incinerate = false
  config.active_storage.service = :disk
  config.active_storage.service_configurations = { disk: { service: "Disk", root: File::NULL } }
  config.active_job.queue_adapter = MortalQueue.new
  config.active_record.dump_schema_after_migration = false
  config.hosts.clear
  config.logger = LOGGER
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
    LOCK.synchronize { File.open("#{Installation.folder}/routes.jsonl", "a") { |file| file.puts(line) } }
  end

  private

  def decide
    return "dropped" unless mail.to.is_a?(Array)

    mail.to.each { |address| (found = REPLY.match(address)) && (return "reply #{found[1].downcase}") }
    inbox = candidates.map { |address| plain(address) }.find { |address| Installation.inboxes.include?(address) }
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

# The one installation of this process.
module Installation
  DATABASE = "app.sqlite3"

  class << self
    attr_reader :folder, :inboxes

    # Makes an empty database in a folder.
    def found(folder)
      connect(folder)
      paths = %w[activestorage actionmailbox].map { |gem| "#{Gem::Specification.find_by_name(gem).gem_dir}/db/migrate" }
      # Rails 6.1 must be told where it notes what was migrated; 7.2 takes no such word.
      noted = ActiveRecord.version < Gem::Version.new("7.1") ? [ActiveRecord::SchemaMigration] : []
      ActiveRecord::Migration.verbose = false
      ActiveRecord::MigrationContext.new(paths, *noted).migrate
      ActiveRecord::Base.connection.execute("PRAGMA journal_mode = WAL")
      ActiveRecord::Base.connection_pool.disconnect!
    end

    # The application of the installation in the environment, whose folder has a database.
    def open
      @folder = ENV.fetch("FOLDER")
      @inboxes = ENV.fetch("INBOXES", "support@example.com,sales@example.com").split(",")
      connect(@folder)
      LOGGER.reopen("#{@folder}/app.log")
      store
      credentials
      ahead(ENV["SECONDS_AHEAD"].to_i) if ENV.key?("SECONDS_AHEAD")
      records = Records.new
      app = ENV.key?("FORCE_SSL") ? redirecting(App) : App
      ->(env) { records.call(env) || app.call(env) }
    end

    private

    # As `force_ssl` would have it in the application's own stack.
    def redirecting(app)
      status = app.config.action_dispatch.ssl_default_redirect_status
      ActionDispatch::SSL.new(app, ssl_default_redirect_status: status)
    end

    def connect(folder)
      ActiveRecord::Base.establish_connection("sqlite3:#{folder}/#{DATABASE}?pool=40")
    end

    def store
      disk = { disk: { service: "Disk", root: "#{@folder}/files" } }
      ActiveStorage::Blob.services = ActiveStorage::Service::Registry.new(disk)
      ActiveStorage::Blob.service = ActiveStorage::Blob.services.fetch(:disk)
    end

    def credentials
      ActionMailbox.ingress = ENV.fetch("SERVICE", "relay").to_sym
      ENV["RAILS_INBOUND_EMAIL_PASSWORD"] = ENV["PASSWORD"] if ENV["PASSWORD"]
      ENV["MAILGUN_INGRESS_SIGNING_KEY"] = ENV["SIGNING_KEY"] if ENV["SIGNING_KEY"]
      ENV["MANDRILL_INGRESS_API_KEY"] = ENV["SIGNING_KEY"] if ENV["SIGNING_KEY"]
    end

    def ahead(seconds)
      Time.singleton_class.prepend(Module.new { define_method(:now) { |*options, **zone| super(*options, **zone) + seconds } })
    end
  end
end

ENV["DATABASE_URL"] = "sqlite3::memory:"
App.initialize!
require "active_record/connection_adapters/sqlite3_adapter"
ActiveRecord::ConnectionAdapters::SQLite3Adapter.prepend(PatientSqlite)
App.routes.draw {}

# Starts Action Mailboxes that share the second and a half in which Rails loads: fork_server.rb FOLDER.
#
# FOLDER is its own. Each line on standard input is one to start, {"port": ..., "environment": {...}}; each line on standard output its
# process id. What it says goes to puma.log in its FOLDER, a database that is there is kept. It ends with the input, its servers don't.

require_relative "application"
require "puma"
require "puma/configuration"
require "puma/launcher"

TEMPLATE = ARGV.fetch(0)

def serve(port, environment)
  ENV.update(environment)
  folder = ENV.fetch("FOLDER")
  Dir.chdir(folder)
  $stdin.reopen(File::NULL)
  $stdout.reopen("puma.log", "w")
  $stderr.reopen($stdout)
  $stdout.sync = true
  FileUtils.cp("#{TEMPLATE}/#{Installation::DATABASE}", folder) unless File.exist?(Installation::DATABASE)
  application = Installation.open
  configuration = Puma::Configuration.new do |puma|
    puma.environment("production")
    puma.threads(1, 8)
    puma.bind("tcp://127.0.0.1:#{port}")
    puma.app(application)
  end
  Puma::Launcher.new(configuration).run
end

Installation.found(TEMPLATE)
$stdin.each_line do |line|
  request = JSON.parse(line)
  server = fork { serve(request.fetch("port"), request.fetch("environment")) }
  Process.detach(server)
  $stdout.puts(server)
  $stdout.flush
end

# One Action Mailbox, for `puma config.ru` with the environment of application.rb.

require_relative "application"

Installation.found(ENV.fetch("FOLDER"))
run Installation.open

# For sieve-filter: what could not be delivered and was kept. There is no envelope now.
require "vnd.dovecot.pipe";
if address :matches "delivered-to" "reply+*@@DOMAIN@" { pipe "chatwoot-again"; stop; }
if address :matches "delivered-to" ["@INBOX@", "@INBOX_LOCAL@+*@@INBOX_DOMAIN@"] { pipe "chatwoot-again"; stop; }

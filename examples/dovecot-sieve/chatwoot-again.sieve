# For sieve-filter: what could not be delivered and was kept. There is no envelope now.
require "vnd.dovecot.pipe";
if address :matches "delivered-to" "reply+*@reply.example.com" { pipe "chatwoot-again"; stop; }
if address :matches "delivered-to" ["support@example.com", "support+*@example.com"] { pipe "chatwoot-again"; stop; }

# Mail for Chatwoot goes there, all other mail to its user.
require ["vnd.dovecot.pipe", "envelope"];
if envelope :domain "to" "reply.example.com" { pipe "chatwoot"; stop; }
if envelope :matches "to" ["support@example.com", "support+*@example.com"] { pipe "chatwoot"; stop; }

# Mail for Chatwoot goes there, all other mail to its user.
require ["vnd.dovecot.pipe", "envelope"];
if envelope :matches "to" "reply+*@reply.example.com" { pipe "chatwoot"; stop; }
if envelope :matches "to" ["support@example.com", "support+*@example.com"] { pipe "chatwoot"; stop; }

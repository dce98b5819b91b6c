# Mail for Chatwoot goes there, all other mail to its user.
require ["vnd.dovecot.pipe", "envelope"];
if envelope :matches "to" "reply+*@@DOMAIN@" { pipe "chatwoot"; stop; }
if envelope :matches "to" ["@INBOX@", "@INBOX_LOCAL@+*@@INBOX_DOMAIN@"] { pipe "chatwoot"; stop; }

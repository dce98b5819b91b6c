dnl Chatwoot: its mailer, and which addresses go there. Left and right side of a rule are separated by a tab.
dnl The last rule refuses all other addresses of the reply domain: leave it out when people have addresses there.
MAILER_DEFINITIONS
`Mchatwoot,	P=/bin/sh, F=Phnu, T=DNS/RFC822/X-Unix, U=@USER@,
	A=sh /etc/mail/chatwoot.sh -f $g -r $u'
LOCAL_RULE_0
`R$+ < @ @DOMAIN@ >	$: $1 < @ @DOMAIN@ . >
R$+ < @ @INBOX_DOMAIN@ >	$: $1 < @ @INBOX_DOMAIN@ . >
Rreply + $+ < @ @DOMAIN@ . >	$#chatwoot $@ chatwoot $: reply + $1 < @ @DOMAIN@ >
R @INBOX_LOCAL@ < @ @INBOX_DOMAIN@ . >	$#chatwoot $@ chatwoot $: @INBOX_LOCAL@ < @ @INBOX_DOMAIN@ >
R @INBOX_LOCAL@ + $* < @ @INBOX_DOMAIN@ . >	$#chatwoot $@ chatwoot $: @INBOX_LOCAL@ + $1 < @ @INBOX_DOMAIN@ >
R$+ < @ @DOMAIN@ . >	$#error $@ 5.1.1 $: "550 Chatwoot has no such address"
'

dnl Chatwoot: its mailer, and which addresses go there. Left and right side of a rule are separated by a tab.
dnl The last rule refuses all other addresses of the reply domain: leave it out when people have addresses there.
MAILER_DEFINITIONS
`Mchatwoot,	P=/bin/sh, F=Phnu, T=DNS/RFC822/X-Unix, U=ingress,
	A=sh /etc/mail/chatwoot.sh -f $g -r $u'
LOCAL_RULE_0
`R$+ < @ reply.example.com >	$: $1 < @ reply.example.com . >
R$+ < @ example.com >	$: $1 < @ example.com . >
Rreply + $+ < @ reply.example.com . >	$#chatwoot $@ chatwoot $: reply + $1 < @ reply.example.com >
R support < @ example.com . >	$#chatwoot $@ chatwoot $: support < @ example.com >
R support + $* < @ example.com . >	$#chatwoot $@ chatwoot $: support + $1 < @ example.com >
R$+ < @ reply.example.com . >	$#error $@ 5.1.1 $: "550 Chatwoot has no such address"
'

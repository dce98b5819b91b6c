//! Every mail server and mail reader that starts `ingress`, real, configured by what `ingress setup` printed.

mod dovecot_sieve;
mod exim;
mod exim_traps;
mod fdm;
mod fetchmail;
mod getmail;
mod getmail_idle;
mod getmail_traps;
mod maildrop;
mod opensmtpd;
mod postfix_local;
mod postfix_pipe;
mod postfix_traps;
mod procmail;
mod sendmail;

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chatwoot_mail_fuzz::mailboxes(data));

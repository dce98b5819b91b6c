//! A client of SMTP and LMTP, as small as the tests need it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long the server may take over one answer.
const DEADLINE: Duration = Duration::from_secs(90);

/// Sends one message; panics when the server does not take it. `message` has LF line ends.
pub(crate) fn send(port: u16, sender: &str, recipients: &[&str], message: &str) {
    submit(port, sender, recipients, message).unwrap_or_else(|answer| panic!("refused: {answer}"));
}

/// Sends one message by SMTP; `message` has LF line ends.
///
/// # Errors
///
/// The answer by which the server refused it.
pub(crate) fn submit(port: u16, sender: &str, recipients: &[&str], message: &str) -> Result<(), String> {
    hand_over("EHLO", port, sender, recipients, message)
}

/// Sends one message by LMTP (RFC 2033), in which the end of a message for one recipient has one answer, too.
///
/// # Errors
///
/// The answer by which the server refused it.
pub(crate) fn submit_locally(port: u16, sender: &str, recipient: &str, message: &str) -> Result<(), String> {
    hand_over("LHLO", port, sender, &[recipient], message)
}

fn hand_over(
    greeting: &str,
    port: u16,
    sender: &str,
    recipients: &[&str],
    message: &str,
) -> Result<(), String> {
    let (mut stream, mut reader) = greeted(port);
    let mut say = |line: &str, code: &str| {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        expect(&mut reader, code)
    };
    say(&format!("{greeting} client.example.org"), "250")?;
    say(&format!("MAIL FROM:<{sender}>"), "250")?;
    for recipient in recipients {
        say(&format!("RCPT TO:<{recipient}>"), "250")?;
    }
    say("DATA", "354")?;
    let stuffed: String = message
        .lines()
        .map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") })
        .collect();
    say(&format!("{stuffed}."), "250")?;
    say("QUIT", "221")
}

/// A connection on which the server has said its greeting. One that a crowd pushed out of a short backlog is made anew.
fn greeted(port: u16) -> (TcpStream, BufReader<TcpStream>) {
    let end = Instant::now() + DEADLINE;
    loop {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok() && line.starts_with("220") {
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            return (stream, reader);
        }
        assert!(Instant::now() < end, "no greeting but {line:?}");
    }
}

fn expect(reader: &mut BufReader<TcpStream>, code: &str) -> Result<(), String> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if !line.starts_with(code) {
            return Err(line);
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

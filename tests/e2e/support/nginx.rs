//! A real nginx in front of Action Mailbox, with a body limit.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::guard::Guard;
use crate::support::{Port, eventually};

pub(crate) struct Nginx {
    _server: Guard,
    port: Port,
}

impl Nginx {
    /// Passes what is no larger than `limit` (as in `16k`) on to `upstream`.
    pub(crate) fn start(folder: &Path, upstream: &str, limit: &str) -> Self {
        let prefix = folder.join("nginx");
        fs::create_dir_all(&prefix).unwrap();
        let port = Port::hold();
        let number = port.number();
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log;\n\
             events {{ }}\n\
             http {{\n\
               access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n\
               server {{ listen 127.0.0.1:{number}; client_max_body_size {limit}; location / {{ proxy_pass {upstream}; }} }}\n\
             }}\n"
        );
        fs::write(prefix.join("nginx.conf"), configuration).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&prefix).args(["-c", "nginx.conf", "-e", "error.log"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Guard::start(&mut command);
        eventually("nginx to listen", || {
            assert!(
                !server.has_exited(),
                "nginx ended: {}",
                fs::read_to_string(prefix.join("error.log")).unwrap_or_default()
            );
            TcpStream::connect(("127.0.0.1", number)).ok()
        });
        Self { _server: server, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }
}

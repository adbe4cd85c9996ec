//! The function's process, and a stand-in for the two services that it calls: Lambda's Runtime API
//! and a DynamoDB without items.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// The session whose items DynamoDB does not give.
pub const REFUSED: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

/// Runs the function until it has answered these events or has ended, and returns all that it
/// printed.
pub fn printed(events: &[String], environment: &[(&str, &str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let url = format!("http://{address}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letters"));
    command.env_clear().envs([
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "dead-letters"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &url),
        ("TABLE_NAME", "table"),
        ("QUEUE_URL", &url),
        ("DOCUMENT_QUEUE_URL", &url),
        ("WS_CALLBACK_URL", &url),
    ]);
    command.envs(environment.iter().copied());
    let (mut output, both) = io::pipe().unwrap();
    command.stdin(Stdio::null());
    command.stdout(both.try_clone().unwrap()).stderr(both);
    let mut process = command.spawn().unwrap();
    // Its copies of the pipe's end would keep the output open.
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut printed = String::new();
        output.read_to_string(&mut printed).unwrap();
        // A process that has ended asks for nothing more.
        let _ = TcpStream::connect(address);
        printed
    });
    let mut waiting = events.iter();
    for stream in listener.incoming() {
        // The function asks for another event after its last answer.
        if !serve(&stream.unwrap(), &mut waiting) {
            break;
        }
    }
    process.kill().unwrap();
    process.wait().unwrap();
    reader.join().unwrap()
}

/// Answers one request. Returns false where there is none, or it asks for an event that is not
/// there.
fn serve<'a>(stream: &TcpStream, events: &mut impl Iterator<Item = &'a String>) -> bool {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut line) = (String::new(), 0, String::new());
    if reader.read_line(&mut first).unwrap() == 0 {
        return false;
    }
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let (status, body) = if first.contains("/invocation/next") {
        match events.next() {
            Some(event) => ("200 OK", event.as_str()),
            None => return false,
        }
    } else if first.contains("/runtime/") {
        ("202 Accepted", "")
    } else if String::from_utf8(body).unwrap().contains(REFUSED) {
        (
            "400 Bad Request",
            r#"{"__type":"ResourceNotFoundException","message":"No table"}"#,
        )
    } else {
        ("200 OK", r#"{"Items":[],"Count":0,"ScannedCount":0}"#)
    };
    let length = body.len();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\
         lambda-runtime-aws-request-id: 00000000-0000-0000-0000-000000000001\r\n\
         lambda-runtime-deadline-ms: 4102444800000\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:0:function:dead-letters\r\n\
         \r\n{body}"
    )
    .unwrap();
    true
}

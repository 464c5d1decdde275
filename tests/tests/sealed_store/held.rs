//! A device that another process has open.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use merestone_node::device::OpenDeviceError;
use merestone_store::OpenError;
use merestone_tests::outpost::open;

use crate::folder::Home;

fn saver(home: &Home, what: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saver"));
    command.arg(home.path()).arg(home.observer.to_string()).args(["1", what]);
    command
}

#[test]
fn a_device_open_in_another_process_says_so_and_is_free_when_that_ends() {
    let home = Home::closed(1);
    let mut other = saver(&home, "hold").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let refused = open(home.path()).unwrap_err();
    assert!(matches!(refused, OpenDeviceError::Store(OpenError::AlreadyOpen { .. })), "{refused:?}");
    // The lock ends with the process, however that ends.
    other.kill().unwrap();
    other.wait().unwrap();

    let device = open(home.path()).unwrap();
    let refused = saver(&home, "photo").stdin(Stdio::null()).output().unwrap();
    assert!(!refused.status.success());
    assert_eq!(refused.stdout, b"", "it never was ready");
    let path = home.path().join("store");
    assert_eq!(
        String::from_utf8(refused.stderr).unwrap(),
        format!("the store at {} is open already\n", path.display())
    );
    drop(device);
    assert!(saver(&home, "photo").stdin(Stdio::null()).output().unwrap().status.success());
}

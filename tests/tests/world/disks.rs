//! Disks that fail, below `std` and below SQLite alike.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use merestone_tests::chance::Chance;
use merestone_tests::world::disk::Disk;
use rusqlite::Connection;

#[test]
fn calls_of_std_are_counted_and_fail_after_a_kill() {
    let disk = Disk::make().unwrap();
    let path = disk.home().join("a");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"one").unwrap();
    file.sync_all().unwrap();
    fs::rename(&path, disk.home().join("b")).unwrap();
    assert_eq!(disk.calls(), 4);

    disk.kill_in(2);
    file.write_all(b"two").unwrap();
    assert_eq!(file.write_all(b"three").unwrap_err().raw_os_error(), Some(libc::EIO));
    assert!(disk.is_dead());
    assert!(file.sync_all().is_err());
    assert!(fs::remove_file(disk.home().join("b")).is_err());
    assert!(fs::create_dir(disk.home().join("c")).is_err());
    assert!(File::open(disk.home().join("b")).is_err());
    drop(file);
    disk.revive();
    assert_eq!(fs::read(disk.home().join("b")).unwrap(), b"onetwo");
}

#[test]
fn a_power_cut_takes_only_what_was_not_flushed() {
    let (mut kept_some, mut lost_some) = (false, false);
    for seed in 0..64 {
        let disk = Disk::make().unwrap();
        let home = disk.home();
        let mut file = File::create(home.join("a")).unwrap();
        file.write_all(&[1; 2_048]).unwrap();
        file.sync_all().unwrap();
        File::open(&home).unwrap().sync_all().unwrap();
        fs::write(home.join("unflushed"), b"whole").unwrap();
        file.write_all(&[2; 2_048]).unwrap();
        drop(file);
        disk.kill();
        disk.cut_power(&mut Chance::new(seed)).unwrap();
        disk.revive();
        let left = fs::read(home.join("a")).unwrap();
        assert_eq!(&left[..2_048], [1; 2_048], "what was flushed is there");
        for sector in left[2_048..].chunks(512) {
            assert!(
                [[0; 512], [2; 512]].iter().any(|whole| whole == sector),
                "a sector is written whole or not at all"
            );
        }
        kept_some |= left.len() == 4_096 && home.join("unflushed").exists();
        lost_some |= left.len() == 2_048 && !home.join("unflushed").exists();
    }
    assert!(kept_some && lost_some);
}

#[test]
fn a_file_that_was_replaced_or_removed_comes_back_unless_its_folder_was_flushed() {
    let mut outcomes = [false; 2];
    for seed in 0..32 {
        let disk = Disk::make().unwrap();
        let home = disk.home();
        for name in ["a", "b", "c"] {
            let mut file = File::create(home.join(name)).unwrap();
            file.write_all(name.as_bytes()).unwrap();
            file.sync_all().unwrap();
        }
        File::open(&home).unwrap().sync_all().unwrap();
        fs::rename(home.join("a"), home.join("b")).unwrap();
        fs::remove_file(home.join("c")).unwrap();
        disk.kill();
        disk.cut_power(&mut Chance::new(seed)).unwrap();
        disk.revive();
        let b = fs::read(home.join("b")).unwrap();
        assert_eq!(home.join("a").exists(), b == b"b", "a name moves as a whole");
        assert!(home.join("c").exists() || b == b"a", "a later change does not outlive an earlier one");
        outcomes[usize::from(b == b"a")] = true;
    }
    assert_eq!(outcomes, [true; 2]);
}

#[test]
fn a_full_disk_takes_what_fits_and_a_call_fails_once() {
    let disk = Disk::make().unwrap();
    disk.limit_room(Some(10));
    let mut file = File::create(disk.home().join("a")).unwrap();
    assert_eq!(file.write(&[1; 8]).unwrap(), 8);
    assert_eq!(file.write_all(&[2; 8]).unwrap_err().raw_os_error(), Some(libc::ENOSPC));
    disk.limit_room(None);
    disk.fail_in(1);
    assert_eq!(file.write(&[3; 8]).unwrap_err().raw_os_error(), Some(libc::EIO));
    file.write_all(&[4; 2]).unwrap();
    drop(file);
    assert_eq!(fs::read(disk.home().join("a")).unwrap(), [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 4, 4]);
}

#[test]
fn what_sqlite_committed_survives_every_kill_and_power_cut() {
    let disk = Disk::make().unwrap();
    let path = disk.home().join("numbers.db");
    let mut chance = Chance::new(7);
    let (mut committed, mut killed) = (0_i64, 0);
    for round in 0..200 {
        let connection = open(&path);
        let found: i64 = connection.query_row("SELECT count(*) FROM number", [], |row| row.get(0)).unwrap();
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok", "round {round}");
        assert!(found >= committed, "round {round}: {found} rows of {committed}");
        // A row that was written and not flushed when the process died is seen now and durable with the next flush only.
        let flush = connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(flush, 0);
        committed = found;
        disk.kill_in(1 + chance.below(24));
        while connection.execute("INSERT INTO number VALUES (randomblob(700))", []).is_ok() {
            committed += 1;
        }
        drop(connection);
        assert!(disk.is_dead(), "SQLite's calls pass through the disk");
        killed += 1;
        if chance.once_in(2) {
            disk.cut_power(&mut chance).unwrap();
        }
        disk.revive();
    }
    assert!(killed == 200 && committed > 100, "{committed}");
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("SQLite opens its file");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 3;")
        .expect("SQLite opens its file");
    connection.execute_batch("CREATE TABLE IF NOT EXISTS number (value BLOB)").expect("SQLite opens its file");
    connection
}

//! The key file: private keys wrapped by a passphrase (`core/spec/keyfile.md`).

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use merestone_core::Refused;
use merestone_core::cbor::{Reader, Writer};
use merestone_core::id::sha256;
use zeroize::Zeroizing;

use super::{Passphrase, UnlockCost};

/// Longest key file of any version, in bytes: far more than one takes, so that a newer one is still told as newer.
pub const KEYFILE_BYTES_MAX: usize = 1_024;
/// Longest key file of version 1, in bytes: it takes 193.
const SEALED_FILE_BYTES_MAX: usize = 512;

const LABEL: &str = "merestone/keyfile";
const VERSION: u64 = 1;
const WRAPPED_VERSION: u64 = 2;
const TAG_BYTES: usize = 16;
const CHECK_BYTES: usize = 4;

/// What is wrong with a key file, whatever the passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileFault {
    /// It is no key file.
    #[error("not a key file")]
    Foreign,
    /// A newer version of the program wrote it.
    #[error("key file of version {found}, this program knows versions up to {WRAPPED_VERSION}")]
    Newer {
        /// Its version.
        found: u64,
    },
    /// It was a key file, and some of it changed since.
    #[error("the key file is damaged")]
    Damaged,
    /// Unlocking it would take more memory or time than is given to any file.
    #[error("the key file asks for too much work")]
    TooCostly,
    /// It holds keys for another use.
    #[error("the key file is for another use")]
    OtherPurpose,
    /// A passphrase does not open it: the phone's keystore wrapped it.
    #[error("the phone's keystore opens this key file, and no passphrase")]
    OfKeystore,
    /// The keystore does not open it: a passphrase wrapped it.
    #[error("a passphrase opens this key file, and not the keystore")]
    OfPassphrase,
}

/// What the keys in a file are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An observer on a device: the seed of the signing key and that of the transport key.
    Observer,
    /// A party: the seed of its root key.
    Party,
}

impl Purpose {
    const fn code(self) -> u64 {
        match self {
            Self::Observer => 1,
            Self::Party => 2,
        }
    }

    const fn secret_bytes(self) -> usize {
        match self {
            Self::Observer => 64,
            Self::Party => 32,
        }
    }
}

/// The seeds in a key file; overwritten with zeros when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// What is random in a key file.
#[derive(Clone, Copy)]
pub(crate) struct Salt {
    pub(crate) salt: [u8; 16],
    pub(crate) nonce: [u8; 24],
}

/// A key file as read; nothing of it is trusted before it is opened.
#[derive(Debug)]
pub(crate) struct KeyFile<'a> {
    purpose: u64,
    public: [u8; 32],
    cost: UnlockCost,
    salt: [u8; 16],
    nonce: [u8; 24],
    sealed: &'a [u8],
    /// Everything in front of `sealed`: authenticated with it.
    head: &'a [u8],
}

/// Why a key file was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    Fault(KeyFileFault),
    WrongPassphrase,
}

/// Wraps `secret`, whose public half is `public`.
pub(crate) fn seal(
    purpose: Purpose,
    public: &[u8; 32],
    secret: &Secret,
    passphrase: &Passphrase,
    cost: UnlockCost,
    salt: Salt,
) -> Result<Vec<u8>, KeyFileFault> {
    if !cost.is_sane() {
        return Err(KeyFileFault::TooCostly);
    }
    let mut writer = Writer::with_capacity(KEYFILE_BYTES_MAX);
    writer.array(8).text(LABEL).uint(VERSION).uint(purpose.code()).bytes(public);
    writer.array(4).uint(cost.memory_kib.into()).uint(cost.passes.into()).uint(cost.lanes.into()).bytes(&salt.salt);
    writer.bytes(&salt.nonce);
    let mut file = writer.finish();

    // Room for the tag from the start: a vector that grows leaves a copy of the secret behind.
    let mut sealed = Zeroizing::new(Vec::with_capacity(secret.len() + TAG_BYTES));
    sealed.extend_from_slice(secret);
    let key = derive_key(passphrase, cost, &salt.salt)?;
    XChaCha20Poly1305::new((&*key).into())
        .encrypt_in_place(XNonce::from_slice(&salt.nonce), &file, &mut *sealed)
        .map_err(|_| KeyFileFault::TooCostly)?;

    let mut tail = Writer::new();
    tail.bytes(&sealed);
    file.extend(tail.finish());
    let check = check(&file);
    let mut tail = Writer::new();
    tail.bytes(&check);
    file.extend(tail.finish());
    Ok(file)
}

impl<'a> KeyFile<'a> {
    /// Reads a key file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, KeyFileFault> {
        if bytes.len() > KEYFILE_BYTES_MAX {
            return Err(KeyFileFault::Foreign);
        }
        let mut reader = Reader::new(bytes);
        let found = version(&mut reader).map_err(|_| KeyFileFault::Foreign)?;
        match found {
            VERSION => {}
            WRAPPED_VERSION => {
                let of_keystore = |_| KeyFileFault::OfKeystore;
                return Err(WrappedKeyFile::decode(bytes).map_or_else(|fault| fault, of_keystore));
            }
            _ => return Err(KeyFileFault::Newer { found }),
        }
        if bytes.len() > SEALED_FILE_BYTES_MAX {
            return Err(KeyFileFault::Damaged);
        }
        let file = Self::fields(&mut reader, bytes).map_err(|_| KeyFileFault::Damaged)?;
        let (checked, check_read) = file;
        let end = bytes.len() - CHECK_BYTES - 1;
        if check(&bytes[..end]) != check_read {
            return Err(KeyFileFault::Damaged);
        }
        Ok(checked)
    }

    /// The public half of the signing key in it, as it says.
    pub(crate) fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Unwraps the secret.
    ///
    /// # Errors
    /// If it is for another use or too costly, or the passphrase is another.
    pub(crate) fn open(&self, purpose: Purpose, passphrase: &Passphrase) -> Result<Secret, Closed> {
        if self.purpose != purpose.code() {
            return Err(Closed::Fault(KeyFileFault::OtherPurpose));
        }
        if !self.cost.is_sane() {
            return Err(Closed::Fault(KeyFileFault::TooCostly));
        }
        let key = derive_key(passphrase, self.cost, &self.salt).map_err(Closed::Fault)?;
        let mut secret = Zeroizing::new(self.sealed.to_vec());
        XChaCha20Poly1305::new((&*key).into())
            .decrypt_in_place(XNonce::from_slice(&self.nonce), self.head, &mut *secret)
            .map_err(|_| Closed::WrongPassphrase)?;
        if secret.len() != purpose.secret_bytes() {
            return Err(Closed::Fault(KeyFileFault::Damaged));
        }
        Ok(secret)
    }

    fn fields(reader: &mut Reader<'a>, bytes: &'a [u8]) -> Result<(Self, [u8; CHECK_BYTES]), Refused> {
        let purpose = reader.uint("purpose")?;
        let public = reader.array_of("public key")?;
        reader.array_exact(4, "cost")?;
        let mut number = |what| reader.uint(what).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let cost = UnlockCost { memory_kib: number("memory")?, passes: number("passes")?, lanes: number("lanes")? };
        let salt = reader.array_of("salt")?;
        reader.leave();
        let nonce = reader.array_of("nonce")?;
        let head = &bytes[..reader.position()];
        let sealed = reader.bytes("sealed keys")?;
        let check = reader.array_of("check")?;
        reader.leave();
        reader.clone().finish("key file")?;
        Ok((Self { purpose, public, cost, salt, nonce, sealed, head }, check))
    }
}

/// Longest wrapped secret, in bytes.
pub const WRAPPED_BYTES_MAX: usize = 896;

/// Who holds the signing key of a file of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The file: the keystore wraps its seed.
    File,
    /// The keystore: it signs, and the file has the transport key alone.
    Keystore,
}

/// A key file of version 2 as read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrappedKeyFile<'a> {
    pub(crate) public: [u8; 32],
    pub(crate) holder: Holder,
    pub(crate) wrapped: &'a [u8],
}

impl<'a> WrappedKeyFile<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let holder = match self.holder {
            Holder::File => 0,
            Holder::Keystore => 1,
        };
        let mut writer = Writer::with_capacity(KEYFILE_BYTES_MAX);
        writer.array(7).text(LABEL).uint(WRAPPED_VERSION).uint(Purpose::Observer.code()).bytes(&self.public);
        writer.uint(holder).bytes(self.wrapped);
        let mut file = writer.finish();
        let mut tail = Writer::new();
        tail.bytes(&check(&file));
        file.extend(tail.finish());
        file
    }

    /// Reads a key file of version 2.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, KeyFileFault> {
        if bytes.len() > KEYFILE_BYTES_MAX {
            return Err(KeyFileFault::Foreign);
        }
        let mut reader = Reader::new(bytes);
        match version(&mut reader).map_err(|_| KeyFileFault::Foreign)? {
            VERSION => {
                let of_passphrase = |_| KeyFileFault::OfPassphrase;
                return Err(KeyFile::decode(bytes).map_or_else(|fault| fault, of_passphrase));
            }
            WRAPPED_VERSION => {}
            found => return Err(KeyFileFault::Newer { found }),
        }
        let (purpose, file, check_read) = Self::fields(&mut reader).map_err(|_| KeyFileFault::Damaged)?;
        let end = bytes.len() - CHECK_BYTES - 1;
        if check(&bytes[..end]) != check_read {
            return Err(KeyFileFault::Damaged);
        }
        if purpose == Purpose::Observer.code() { Ok(file) } else { Err(KeyFileFault::OtherPurpose) }
    }

    fn fields(reader: &mut Reader<'a>) -> Result<(u64, Self, [u8; CHECK_BYTES]), Refused> {
        let purpose = reader.uint("purpose")?;
        let public = reader.array_of("public key")?;
        let holder = match reader.uint("holder")? {
            0 => Holder::File,
            1 => Holder::Keystore,
            _ => return Err(Refused { check: merestone_core::Check::Shape, what: "holder" }),
        };
        let wrapped = reader.bytes("wrapped keys")?;
        let check = reader.array_of("check")?;
        reader.leave();
        reader.clone().finish("key file")?;
        Ok((purpose, Self { public, holder, wrapped }, check))
    }
}

fn version(reader: &mut Reader<'_>) -> Result<u64, Refused> {
    let foreign = Refused { check: merestone_core::Check::Shape, what: "key file" };
    reader.array(32, "key file")?;
    if reader.text(LABEL.len(), "label")? != LABEL {
        return Err(foreign);
    }
    reader.uint("version")
}

fn check(file: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = sha256(&[file]);
    [digest[0], digest[1], digest[2], digest[3]]
}

fn derive_key(passphrase: &Passphrase, cost: UnlockCost, salt: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>, KeyFileFault> {
    let UnlockCost { memory_kib, passes, lanes } = cost;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| KeyFileFault::TooCostly)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| KeyFileFault::TooCostly)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cheap, for tests of everything but the cost.
    const COST: UnlockCost = UnlockCost { memory_kib: 8, passes: 1, lanes: 1 };
    const SALT: Salt = Salt { salt: [3; 16], nonce: [4; 24] };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned()).unwrap()
    }

    fn secret() -> Secret {
        Zeroizing::new([[1; 32], [2; 32]].concat())
    }

    fn sealed(cost: UnlockCost, text: &str) -> Vec<u8> {
        let public = *merestone_core::key::SigningKey::from_seed(&[1; 32]).public().as_bytes();
        seal(Purpose::Observer, &public, &secret(), &passphrase(text), cost, SALT).unwrap()
    }

    #[test]
    fn the_example_of_the_spec_is_this_file() {
        let spec = include_str!("../../../spec/keyfile.md");
        let example = spec.split("```hex\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let bytes = data_encoding::HEXLOWER.decode(example.replace('\n', "").as_bytes()).unwrap_or_default();
        let made = sealed(UnlockCost::PHONE, "correct horse Батарея");
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes), data_encoding::HEXLOWER.encode(&made));
        let file = KeyFile::decode(&bytes).unwrap();
        assert_eq!(file.open(Purpose::Observer, &passphrase("correct horse Батарея")), Ok(secret()));
    }

    #[test]
    fn the_second_example_of_the_spec_is_this_file_and_every_change_of_it_is_noticed() {
        let spec = include_str!("../../../spec/keyfile.md");
        let example = spec.split("```hex\n").nth(2).and_then(|rest| rest.split("```").next()).unwrap();
        let bytes = data_encoding::HEXLOWER.decode(example.replace('\n', "").as_bytes()).unwrap_or_default();
        let public = *merestone_core::key::SigningKey::from_seed(&[1; 32]).public().as_bytes();
        let wrapped = [public, [1; 32], [2; 32]].concat();
        let file = WrappedKeyFile { public, holder: Holder::File, wrapped: &wrapped };
        assert_eq!(data_encoding::HEXLOWER.encode(&bytes), data_encoding::HEXLOWER.encode(&file.encode()));
        assert_eq!(WrappedKeyFile::decode(&bytes), Ok(file));
        assert_eq!(KeyFile::decode(&bytes).map(|_| ()), Err(KeyFileFault::OfKeystore));
        assert_eq!(WrappedKeyFile::decode(&sealed(COST, "one")), Err(KeyFileFault::OfPassphrase));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(WrappedKeyFile::decode(&changed).is_err(), "byte {at} changed unnoticed");
            assert!(WrappedKeyFile::decode(&bytes[..at]).is_err(), "cut to {at}");
        }
    }

    #[test]
    fn only_the_passphrase_opens_it_however_it_is_typed() {
        let bytes = sealed(COST, "h\u{e9}ron");
        let file = KeyFile::decode(&bytes).unwrap();
        assert_eq!(file.open(Purpose::Observer, &passphrase("he\u{301}ron")), Ok(secret()));
        for wrong in ["heron", "h\u{e9}ron ", "H\u{e9}ron"] {
            assert_eq!(file.open(Purpose::Observer, &passphrase(wrong)), Err(Closed::WrongPassphrase), "{wrong}");
        }
        assert!(Passphrase::new(String::new()).is_none());
        assert!(Passphrase::new("\u{202e}".into()).is_none());
    }

    #[test]
    fn damage_is_told_from_a_wrong_passphrase() {
        let bytes = sealed(COST, "one");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let Err(fault) = KeyFile::decode(&changed).map(|_| ()) else { panic!("byte {at} changed unnoticed") };
            let after_version = at > 2 + LABEL.len();
            assert!(!after_version || fault == KeyFileFault::Damaged, "byte {at}: {fault}");
        }
        for end in 0..bytes.len() {
            assert!(KeyFile::decode(&bytes[..end]).is_err(), "cut to {end}");
        }
        assert!(KeyFile::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn other_files_are_named_for_what_they_are() {
        let fault = |bytes: &[u8]| KeyFile::decode(bytes).map(|_| ()).unwrap_err();
        assert_eq!(fault(b""), KeyFileFault::Foreign);
        assert_eq!(fault(&[0; KEYFILE_BYTES_MAX + 1]), KeyFileFault::Foreign);
        let mut newer = Writer::new();
        newer.array(3).text(LABEL).uint(7).text("whatever comes");
        assert_eq!(fault(&newer.finish()), KeyFileFault::Newer { found: 7 });

        let bytes = sealed(COST, "one");
        let file = KeyFile::decode(&bytes).unwrap();
        let other = file.open(Purpose::Party, &passphrase("one"));
        assert_eq!(other, Err(Closed::Fault(KeyFileFault::OtherPurpose)));
        let costly = KeyFile { cost: UnlockCost { memory_kib: u32::MAX, passes: 1, lanes: 1 }, ..file };
        assert_eq!(costly.open(Purpose::Observer, &passphrase("one")), Err(Closed::Fault(KeyFileFault::TooCostly)));
    }

    #[test]
    fn a_passphrase_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", passphrase("swordfish")), "Passphrase");
    }
}

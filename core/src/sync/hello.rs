//! What a side says first, and what it makes of the peer's hello (`spec/sync.md` §Hello).

use super::close::{Close, CloseCode};
use super::config::{LocalState, SessionConfig, classes_digest, statements_digest};
use super::frame::{Frame, Hello, HelloV2, Rest, Shown, StatementClass};
use super::io::{Census, Class, Loaded, Request};
use super::outbox::Pending;
use super::peer::{Introduction, Peer};
use super::report::Report;
use super::session::{Greeting, Phase, Session, Talking};
use super::tips::Logs;
use super::version::Version;
use crate::id::{ScopeId, StatementId};

/// Most bytes of frames that wait for the certificate of the peer: what it may send before we say `ready`, small as
/// nothing was compared yet.
const LATER_BYTES_MAX: usize = 2 << 20;
/// What one such frame costs beside its bytes.
const LATER_FRAME_BYTES: usize = 1 << 10;

pub(super) fn first(config: &SessionConfig, local: &LocalState, tips: &[(ScopeId, [u8; 32])]) -> Hello {
    Hello {
        version: config.version.number(),
        mission: config.mission,
        certificate: config.certificate.as_ref().map(|certificate| certificate.as_bytes().to_vec()),
        store: config.store,
        statements: local.statements.iter().map(|(class, digest)| (*class, *digest)).collect(),
        tips: tips.to_vec(),
        wants: config.wants,
    }
}

pub(super) fn second(config: &SessionConfig, local: &LocalState, tips: &[(ScopeId, [u8; 32])]) -> HelloV2 {
    let agreement = local.agreement.as_ref().map(|last| &last.agreement);
    let shown = agreement.and_then(|agreement| agreement.certificate);
    let certificate = match &config.certificate {
        None => Shown::Nothing,
        Some(certificate) if shown == Some(certificate.id()) => Shown::Named(certificate.id()),
        Some(certificate) => Shown::Whole(certificate.as_bytes().to_vec()),
    };
    HelloV2 {
        mission: config.mission,
        certificate,
        store: config.store,
        statements: classes_digest(&local.statements),
        tips: tips.to_vec(),
        wants: config.wants,
        blobs: local.blobs.map(|Census { digest, missing }| (digest, missing)),
        agreed: agreement.map(|agreement| agreement.digest),
    }
}

/// The digests of the classes, by their numbers, ascending. From version 3 on also of those of which nothing is held, so that
/// each side learns which classes the other knows.
fn told_classes(version: Version, local: &LocalState) -> Vec<(u64, [u8; 32])> {
    let spoken_of = StatementClass::ALL.into_iter().filter(|class| version.speaks_of(*class));
    let of = |class: StatementClass| match local.statements.get(&class) {
        Some(digest) => Some((class.code(), *digest)),
        None => (version >= Version::V3).then(|| (class.code(), statements_digest(&[]))),
    };
    let mut told: Vec<_> = spoken_of.filter_map(of).collect();
    told.sort_unstable();
    told
}

/// A log that changed and has no tip any more cannot be named among those that changed: trees are compared instead.
pub(super) fn forget_unless_usable(local: &mut LocalState, logs: &Logs) {
    let is_named = |last: &super::LastAgreement| last.changed.iter().all(|log| logs.local(*log).is_some());
    local.agreement = local.agreement.take().filter(is_named);
}

impl Session {
    /// A frame before the two know each other.
    pub(super) fn on_greeting(&mut self, class: Class, bytes: Vec<u8>) -> Result<(), Close> {
        let Phase::Greeting(greeting) = &mut self.phase else { return Ok(()) };
        // The host reads no other class yet.
        if class != Class::Control {
            return Err(Close::malformed("no hello"));
        }
        let frame = Frame::decode(&bytes)?;
        let Some(hello) = &greeting.unknown else {
            return match (self.config.version, frame) {
                (Version::V1, Frame::Hello(hello)) if hello.version == Version::V1.number() => self.on_hello(hello),
                (Version::V2 | Version::V3, Frame::HelloV2(hello)) => self.on_hello_v2(hello),
                (_, Frame::Hello(_) | Frame::HelloV2(_)) => Err(Close::new(CloseCode::Version, "version")),
                // Whom we called and who does not know our certificate any more says hello only when it has seen it.
                (Version::V2 | Version::V3, Frame::Show) if self.config.calls => self.on_show(),
                _ => Err(Close::malformed("no hello")),
            };
        };
        match frame {
            Frame::Show => self.on_show(),
            Frame::Certificate(certificate) => {
                let is_named = matches!(hello.certificate, Shown::Named(id) if id == StatementId::of(&certificate));
                let hello = greeting.unknown.take().filter(|_| is_named).ok_or(Close::malformed("certificate"))?;
                self.greet(hello, Some(certificate))
            }
            _ => {
                greeting.later_bytes += bytes.len() + LATER_FRAME_BYTES;
                greeting.later.push(bytes);
                let fits = greeting.later_bytes <= LATER_BYTES_MAX;
                if fits { Ok(()) } else { Err(Close::limit("frames before a certificate")) }
            }
        }
    }

    /// The peer does not hold the certificate that we named.
    pub(super) fn on_show(&mut self) -> Result<(), Close> {
        let certificate = self.config.certificate.as_ref().filter(|_| !self.is_shown);
        let certificate = certificate.ok_or(Close::malformed("show"))?.as_bytes().to_vec();
        self.is_shown = true;
        self.out.say(&Frame::Certificate(certificate));
        Ok(())
    }

    /// The store was asked for the certificate that the peer's hello names.
    pub(super) fn on_peer_certificate(&mut self, loaded: Loaded) -> Result<(), Close> {
        let Phase::Greeting(greeting) = &mut self.phase else { return Ok(()) };
        let Loaded::Statements(found) = loaded else {
            return Err(Close::new(CloseCode::Storage, "answer of another kind"));
        };
        match found.into_iter().next().flatten() {
            Some(certificate) => {
                let hello = greeting.unknown.take().ok_or(Close::malformed("certificate"))?;
                self.greet(hello, Some(certificate))
            }
            None => {
                self.out.say(&Frame::Show);
                Ok(())
            }
        }
    }

    fn on_hello(&mut self, hello: Hello) -> Result<(), Close> {
        let Hello { version: _, mission, certificate, store, statements, tips: theirs, wants } = hello;
        let introduction = Introduction { mission, certificate, store, wants };
        let Some((peer, greeting)) = self.meet(&introduction)? else { return Ok(()) };
        let Greeting { local, tips, changes, .. } = greeting;
        let only = peer.is_cut().then_some(&peer.cuts);
        let statements: Vec<_> = statements.iter().map(|(class, digest)| (class.code(), *digest)).collect();
        self.statements.begin(&local.statements, &statements, only, &mut self.out);
        self.logs.begin(&peer.scopes, &tips, &theirs, peer.is_cut());
        let talking =
            Talking { peer, is_peer_ready: false, classes: None, same: None, is_same: false, is_since: false };
        self.phase = Phase::Talking(Box::new(talking));
        changes.into_iter().try_for_each(|change| self.on_local_change(change))
    }

    fn on_hello_v2(&mut self, hello: HelloV2) -> Result<(), Close> {
        if hello.mission != self.config.mission {
            return Err(Close::new(CloseCode::MissionMismatch, "mission"));
        }
        let certificate = match &hello.certificate {
            Shown::Nothing => None,
            Shown::Whole(certificate) => Some(certificate.clone()),
            // A side that cannot check it does not need it.
            Shown::Named(_) if self.config.charter.is_none() || self.config.certificate.is_none() => None,
            Shown::Named(id) => {
                let (class, ids) = (StatementClass::Certificate, vec![*id]);
                let Phase::Greeting(greeting) = &mut self.phase else { return Ok(()) };
                greeting.unknown = Some(hello);
                let bytes_max = super::frame::HELLO_BYTES_MAX;
                self.out.load(Request::Statements { class, ids, bytes_max }, Pending::PeerCertificate);
                return Ok(());
            }
        };
        self.greet(hello, certificate)
    }

    /// The certificate of a hello is here.
    fn greet(&mut self, hello: HelloV2, certificate: Option<Vec<u8>>) -> Result<(), Close> {
        let HelloV2 { mission, certificate: _, store, statements, tips: theirs, wants, blobs, agreed } = hello;
        let introduction = Introduction { mission, certificate, store, wants };
        let later = match &mut self.phase {
            Phase::Greeting(greeting) => std::mem::take(&mut greeting.later),
            Phase::Enrolling { .. } | Phase::Talking(_) | Phase::Closed => Vec::new(),
        };
        if let Some((peer, greeting)) = self.meet(&introduction)? {
            let Greeting { local, tips, changes, .. } = greeting;
            let are_statements_equal = classes_digest(&local.statements) == statements;
            if are_statements_equal {
                self.statements.are_equal();
            } else {
                self.out.say(&Frame::Classes(told_classes(self.config.version, &local)));
            }
            let last = local.agreement.as_ref().filter(|last| agreed == Some(last.agreement.digest));
            let since = last.map(|last| (last.agreement.scopes.as_slice(), last.changed.as_slice()));
            for scope in self.logs.begin_trees(&peer.scopes, &tips, &theirs, since, peer.is_cut())? {
                self.out.say(&Frame::List(scope));
            }
            let own = self.config.certificate.as_ref();
            let are_hellos_equal = are_statements_equal
                && tips == theirs
                && wants == self.config.wants
                && own.map(|own| own.scopes()) == Some(peer.certificate.scopes())
                && !peer.is_cut();
            let shown = local.agreement.as_ref().map(|last| &last.agreement);
            let known = shown.filter(|known| known.certificate == own.map(|own| own.id()) && known.store == peer.store);
            self.resting.recall(known.map(|known| known.digest), since.is_some());
            let is_counted =
                |census: &Census| census.missing == 0 && Some((census.digest, 0)) == blobs && are_hellos_equal;
            let same = local.blobs.filter(is_counted).map(|census| Rest {
                tips: self.logs.digest(self.config.version),
                blobs: census.digest,
                missing: 0,
                heard: false,
            });
            if let Some(rest) = same {
                self.bodies.are_held();
                self.resting.on_rest(rest);
            }
            let talking = Talking {
                same,
                is_same: same.is_some(),
                is_peer_ready: are_statements_equal,
                classes: (!are_statements_equal).then_some(local.statements),
                is_since: since.is_some(),
                peer,
            };
            self.phase = Phase::Talking(Box::new(talking));
            changes.into_iter().try_for_each(|change| self.on_local_change(change))?;
        }
        later.into_iter().try_for_each(|frame| self.hear(Class::Control, frame))
    }

    /// Judges who the peer is; `None`: one of the two is only joining.
    fn meet(&mut self, introduction: &Introduction) -> Result<Option<(Peer, Greeting)>, Close> {
        let Phase::Greeting(mut greeting) = std::mem::replace(&mut self.phase, Phase::Closed) else {
            return Err(Close::malformed("hello twice"));
        };
        let hello = greeting.hello.take();
        let Some(peer) = Peer::judge(&self.config, introduction, &greeting.local.cuts)? else {
            // Who we are is not for everybody who says that he is joining.
            hello.into_iter().for_each(|hello| self.out.say(&anonymous(hello)));
            self.phase = Phase::Enrolling { is_told: false };
            self.out.load(Request::Enrolment { transport: self.config.peer_transport }, Pending::Enrolment);
            return Ok(None);
        };
        hello.into_iter().for_each(|hello| self.out.say(&hello));
        self.out.report(Report::Peer {
            store: peer.store,
            certificate: Box::new(peer.certificate.clone()),
            is_cut: peer.is_cut(),
        });
        Ok(Some((peer, *greeting)))
    }
}

/// A hello without a certificate.
fn anonymous(hello: Frame) -> Frame {
    match hello {
        Frame::Hello(hello) => Frame::Hello(Hello { certificate: None, ..hello }),
        Frame::HelloV2(hello) => Frame::HelloV2(HelloV2 { certificate: Shown::Nothing, ..hello }),
        other => other,
    }
}

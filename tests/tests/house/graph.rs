//! The crates and the arrows between them, as `cargo metadata` tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::breach::root;

/// Every crate of the workspace and below it, for all platforms.
pub(crate) struct Graph {
    pub(crate) crates: BTreeMap<String, Crate>,
}

/// One version of one crate.
#[derive(Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression; empty if the crate states none.
    pub(crate) licence: String,
    /// The registry as Cargo writes it; `None` for a folder.
    pub(crate) source: Option<String>,
    pub(crate) member: bool,
    /// `publish = false`.
    pub(crate) unpublished: bool,
    /// Folder below the root of the workspace; members only.
    pub(crate) folder: String,
    pub(crate) binaries: Vec<String>,
    /// What the manifest names, switched on or not.
    pub(crate) declared: Vec<Declared>,
    /// Ids of the crates that are built into this one.
    pub(crate) built_in: Vec<String>,
}

/// One dependency as a manifest names it.
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Graph {
    /// The workspace as it stands; asked once for all rules.
    pub(crate) fn of_workspace() -> &'static Self {
        static GRAPH: OnceLock<Graph> = OnceLock::new();
        GRAPH.get_or_init(|| {
            let output = Command::new(env!("CARGO"))
                .args(["metadata", "--format-version", "1", "--locked"])
                .current_dir(root())
                .output()
                .expect("cargo runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "cargo metadata: {said}");
            Self::read(&serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON"))
        })
    }

    fn read(metadata: &Value) -> Self {
        let root = text(&metadata["workspace_root"]);
        let members: BTreeSet<&str> = list(&metadata["workspace_members"]).map(text).collect();
        let mut crates: BTreeMap<String, Crate> = list(&metadata["packages"])
            .map(|package| {
                let id = text(&package["id"]);
                (id.to_owned(), Crate::read(package, members.contains(id), root))
            })
            .collect();
        for node in list(&metadata["resolve"]["nodes"]) {
            let of = crates.get_mut(text(&node["id"])).expect("a resolved crate is a package");
            of.built_in = list(&node["deps"])
                .filter(|dep| list(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null()))
                .map(|dep| text(&dep["pkg"]).to_owned())
                .collect();
        }
        Self { crates }
    }

    /// Sample members for a rule to refuse: a name and its normal dependencies, each a crate too.
    pub(crate) fn sample(arrows: &[(&str, &[&str])]) -> Self {
        let mut crates = BTreeMap::new();
        for (from, to) in arrows {
            for name in to.iter() {
                let named = Crate { name: (*name).to_owned(), ..Crate::default() };
                crates.entry((*name).to_owned()).or_insert(named);
            }
            let declared = to.iter().map(|name| Declared { name: (*name).to_owned(), kind: Kind::Normal });
            let of = Crate {
                name: (*from).to_owned(),
                member: true,
                unpublished: true,
                declared: declared.collect(),
                built_in: to.iter().map(|name| (*name).to_owned()).collect(),
                ..Crate::default()
            };
            crates.insert((*from).to_owned(), of);
        }
        Self { crates }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Crate> {
        self.crates.values().filter(|of| of.member)
    }

    pub(crate) fn outside(&self) -> impl Iterator<Item = &Crate> {
        self.crates.values().filter(|of| !of.member)
    }

    /// The names of every crate that ends up inside `name`.
    pub(crate) fn tree(&self, name: &str) -> BTreeSet<&str> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let start = self.crates.iter().find(|(_, of)| of.member && of.name == name);
        let mut open: Vec<&str> = start.map(|(id, _)| id.as_str()).into_iter().collect();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.crates[id].built_in.iter().map(String::as_str));
            }
        }
        seen.into_iter().map(|id| self.crates[id].name.as_str()).collect()
    }
}

impl Crate {
    fn read(package: &Value, member: bool, root: &str) -> Self {
        let manifest = text(&package["manifest_path"]);
        let folder = manifest.strip_prefix(root).unwrap_or(manifest).trim_end_matches("Cargo.toml");
        let is_binary = |target: &&Value| list(&target["kind"]).any(|kind| kind == "bin");
        Self {
            name: text(&package["name"]).to_owned(),
            version: text(&package["version"]).to_owned(),
            licence: package["license"].as_str().unwrap_or_default().to_owned(),
            source: package["source"].as_str().map(str::to_owned),
            member,
            unpublished: package["publish"].as_array().is_some_and(Vec::is_empty),
            folder: folder.trim_matches('/').to_owned(),
            binaries: list(&package["targets"])
                .filter(is_binary)
                .map(|target| text(&target["name"]).to_owned())
                .collect(),
            declared: list(&package["dependencies"]).map(Declared::read).collect(),
            built_in: Vec::new(),
        }
    }

    /// How a message names it.
    pub(crate) fn title(&self) -> String {
        if self.member { self.name.clone() } else { format!("{} {}", self.name, self.version) }
    }
}

impl Declared {
    fn read(dependency: &Value) -> Self {
        let kind = match dependency["kind"].as_str() {
            None => Kind::Normal,
            Some("build") => Kind::Build,
            Some("dev") => Kind::Dev,
            Some(other) => panic!("cargo has a new kind of dependency: {other}"),
        };
        Self { name: text(&dependency["name"]).to_owned(), kind }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo metadata has a text here")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("cargo metadata has a list here").iter()
}

//! Where things are in the project, and how cargo is run in it.

use crate::failure::{Failure, Result};
use crate::process;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The clone this was built in.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The clone that the running xtask belongs to.
    pub(crate) fn here() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(built_in, PathBuf::from);
        let root = manifest.ancestors().nth(2).unwrap_or(&manifest).to_path_buf();
        Self { root }
    }

    /// A path in the clone.
    pub(crate) fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.root.join(inside)
    }

    /// The clone's own folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the clone as messages show it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The commit that is there, marked where the tree differs from it.
    pub(crate) fn commit(&self) -> String {
        let git = |arguments: &[&str]| {
            process::listen(Command::new("git").current_dir(&self.root).args(arguments))
                .map(|said| said.output.trim().to_string())
                .unwrap_or_default()
        };
        let changed = if git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { "+" };
        format!("{}{changed}", git(&["rev-parse", "--short=10", "HEAD"]))
    }

    /// Where fetched parts are; .cargo/config.toml names the same folder.
    pub(crate) fn native(&self) -> PathBuf {
        self.path("native/made-by-cargo-xtask-setup")
    }

    /// cargo in the clone, in the environment that a person's own shell would give it: what `cargo run` adds
    /// for us would change fingerprints and rebuild what a plain `cargo build` has built.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root);
        for (name, value) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let added = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
            let ours = text == "MUJOCO_DYNAMIC_LINK_DIR" && Path::new(&value) == self.native().join("mujoco");
            if ours || text == "LD_LIBRARY_PATH" || added.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// The folder that cargo builds into.
    ///
    /// # Errors
    /// When cargo can't say it.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let mut command = self.cargo();
        let said = process::listen(command.args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let parsed = serde_json::from_str::<serde_json::Value>(&said.output).ok();
        match parsed.as_ref().and_then(|metadata| metadata["target_directory"].as_str()) {
            Some(folder) => Ok(PathBuf::from(folder)),
            None => Err(Failure::new("cargo does not say where it builds").came(said.errors)),
        }
    }

    /// The release binary of `turnkey`, built as far as it isn't.
    ///
    /// # Errors
    /// When it doesn't build.
    pub(crate) fn turnkey(&self) -> Result<PathBuf> {
        process::run(self.cargo().args(["build", "--release"]))?;
        Ok(self.target()?.join("release").join("turnkey"))
    }
}

/// `${XDG_CACHE_HOME:-~/.cache}/turnkey` where that folder exists: builds and tools kept outside the clone.
/// Nothing depends on it.
pub(crate) fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(base.join("turnkey")).filter(|folder| folder.is_dir())
}

fn built_in() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

//! The native parts: which archive each comes from, and how it is known to be the right one.

/// How an archive is chosen, and its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A Python wheel that holds only data.
    Anywhere {
        /// Of the one archive.
        sha256: &'static str,
    },
    /// A wheel for each kind of processor.
    Linux {
        /// Of the archive for x86_64.
        x86_64: &'static str,
        /// Of the archive for aarch64.
        aarch64: &'static str,
    },
}

/// What pip is told for an archive of another machine's kind, less the kind. What is taken out of a wheel doesn't
/// depend on the Python version: one is named, so that the archive, and its hash, are always the same.
const WHEEL: [&str; 5] =
    ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311", "--abi=abi3"];

/// One thing that set-up fetches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Folder under native/made-by-cargo-xtask-setup.
    pub(crate) name: &'static str,
    /// What it is for, in a few words.
    pub(crate) purpose: &'static str,
    /// pip's requirement.
    pub(crate) requirement: &'static str,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Files taken out of the archive, without their folders; none means the whole archive.
    pub(crate) members: &'static [&'static str],
    /// Links to make: (name, what it points to).
    pub(crate) links: &'static [(&'static str, &'static str)],
    /// Whether it is fetched only when asked for by name.
    pub(crate) optional: bool,
}

/// Every part, in the order in which they are fetched.
pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "mujoco",
        purpose: "the physics engine's library, which builds link",
        requirement: "mujoco==3.17.0",
        origin: Origin::Linux {
            x86_64: "d66928d86a2d1b601bbaa4dc11db50214d17d5301bb8afd84721313b67ff0874",
            aarch64: "91a70ed9979c383ff1f5c03f25cc2e1280a8254c1a8e558d5dd7f4184f01efc9",
        },
        members: &["mujoco/libmujoco.so.3.17.0", "mujoco-3.17.0.dist-info/licenses/LICENSE"],
        links: &[("libmujoco.so", "libmujoco.so.3.17.0")],
        optional: false,
    },
    Part {
        name: "robel",
        purpose: "ROBEL's published claw model, which ours is compared with",
        requirement: "robel==0.1.2",
        origin: Origin::Anywhere { sha256: "6f14db7ce37e00e2b9a6ea792fcd5af23e857dea905033531699edb03a86edcc" },
        members: &[],
        links: &[],
        optional: false,
    },
    Part {
        name: "rerun",
        purpose: "the viewer that `--view` opens, 160 MB",
        requirement: "rerun-sdk==0.36.3",
        origin: Origin::Linux {
            x86_64: "287059b7154bf3881f5b32035f5772d0556d55a0a894650fb74a2605fb39afbe",
            aarch64: "954d8980e15e71245ac91ba7120bbaeb624df2bd7a47bbbb8856fd45174d2521",
        },
        members: &["rerun_sdk/rerun_cli/rerun"],
        links: &[],
        optional: true,
    },
];

impl Part {
    /// The archive's hash and pip's options for this machine.
    ///
    /// # Errors
    /// With the kinds of machines there are, when this isn't one.
    pub(crate) fn here(&self) -> Result<(&'static str, Vec<&'static str>), &'static str> {
        let (sha256, platform) = match (self.origin, std::env::consts::OS, std::env::consts::ARCH) {
            (Origin::Anywhere { sha256 }, _, _) => return Ok((sha256, Vec::new())),
            (Origin::Linux { x86_64, .. }, "linux", "x86_64") => (x86_64, "--platform=manylinux_2_28_x86_64"),
            (Origin::Linux { aarch64, .. }, "linux", "aarch64") => (aarch64, "--platform=manylinux_2_28_aarch64"),
            _ => return Err("linux x86_64, linux aarch64"),
        };
        Ok((sha256, WHEEL.into_iter().chain([platform]).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_a_sha256_and_every_requirement_is_pinned() {
        for part in PARTS {
            let hashes: Vec<_> = match part.origin {
                Origin::Anywhere { sha256 } => vec![sha256],
                Origin::Linux { x86_64, aarch64 } => vec![x86_64, aarch64],
            };
            for hash in hashes {
                assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{}: {hash}", part.name);
            }
            assert!(part.requirement.contains("=="), "{}", part.requirement);
        }
    }
}

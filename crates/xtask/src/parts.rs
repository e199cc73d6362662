//! The native parts: which archive each comes from, and how it is known to be the right one.

/// How an archive is chosen: for one platform, or the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A Python wheel that holds only data.
    Anywhere {
        /// SHA-256 of the archive.
        sha256: &'static str,
    },
    /// A wheel for each platform that we know.
    Platforms(&'static [Platform]),
}

/// The wheel for one platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// As `std::env::consts` spell them: operating system and processor.
    pub(crate) names: (&'static str, &'static str),
    /// As pip spells them. What is taken out of the wheel doesn't depend on the Python version: one is named,
    /// so that the archive, and its hash, are always the same.
    pub(crate) pip: &'static [&'static str],
    /// SHA-256 of the archive.
    pub(crate) sha256: &'static str,
}

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
        origin: Origin::Platforms(&[
            Platform {
                names: ("linux", "x86_64"),
                pip: &[
                    "--only-binary=:all:",
                    "--implementation=cp",
                    "--python-version=3.11",
                    "--abi=cp311",
                    "--platform=manylinux_2_28_x86_64",
                ],
                sha256: "d66928d86a2d1b601bbaa4dc11db50214d17d5301bb8afd84721313b67ff0874",
            },
            Platform {
                names: ("linux", "aarch64"),
                pip: &[
                    "--only-binary=:all:",
                    "--implementation=cp",
                    "--python-version=3.11",
                    "--abi=cp311",
                    "--platform=manylinux_2_28_aarch64",
                ],
                sha256: "91a70ed9979c383ff1f5c03f25cc2e1280a8254c1a8e558d5dd7f4184f01efc9",
            },
        ]),
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
        origin: Origin::Platforms(&[
            Platform {
                names: ("linux", "x86_64"),
                pip: &[
                    "--only-binary=:all:",
                    "--implementation=cp",
                    "--python-version=3.11",
                    "--platform=manylinux_2_28_x86_64",
                ],
                sha256: "287059b7154bf3881f5b32035f5772d0556d55a0a894650fb74a2605fb39afbe",
            },
            Platform {
                names: ("linux", "aarch64"),
                pip: &[
                    "--only-binary=:all:",
                    "--implementation=cp",
                    "--python-version=3.11",
                    "--platform=manylinux_2_28_aarch64",
                ],
                sha256: "954d8980e15e71245ac91ba7120bbaeb624df2bd7a47bbbb8856fd45174d2521",
            },
        ]),
        members: &["rerun_sdk/rerun_cli/rerun"],
        links: &[],
        optional: true,
    },
];

impl Part {
    /// The archive's hash and pip's options for this machine.
    ///
    /// # Errors
    /// With the platforms there are, when this machine's isn't among them.
    pub(crate) fn here(&self) -> Result<(&'static str, &'static [&'static str]), String> {
        match self.origin {
            Origin::Anywhere { sha256 } => Ok((sha256, &[])),
            Origin::Platforms(platforms) => {
                let names = (std::env::consts::OS, std::env::consts::ARCH);
                let known = || platforms.iter().map(|p| format!("{} {}", p.names.0, p.names.1)).collect::<Vec<_>>();
                let found = platforms.iter().find(|platform| platform.names == names);
                found.map(|platform| (platform.sha256, platform.pip)).ok_or_else(|| known().join(", "))
            }
        }
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
                Origin::Platforms(platforms) => platforms.iter().map(|platform| platform.sha256).collect(),
            };
            for hash in hashes {
                assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{}: {hash}", part.name);
            }
            assert!(part.requirement.contains("=="), "{}", part.requirement);
        }
    }
}

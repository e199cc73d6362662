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
    /// A wheel for x86_64 alone.
    LinuxX86 {
        /// Of the archive.
        sha256: &'static str,
    },
}

/// What pip is told for an archive of another machine's kind, less the kind. What is taken out of a wheel doesn't
/// depend on the Python version: one is named, so that the archive, and its hash, are always the same.
const WHEEL: [&str; 6] =
    ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311", "--abi=abi3", "--abi=none"];

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
    /// Files taken out of the archive, without their folders or, after a `=`, to the place named there; with a `/` at the
    /// end, a folder with all that is in it. None means the whole archive.
    pub(crate) members: &'static [&'static str],
    /// Files that are no archive's: (name, text).
    pub(crate) texts: &'static [(&'static str, &'static str)],
    /// Links to make: (name, what it points to).
    pub(crate) links: &'static [(&'static str, &'static str)],
    /// Whether it is fetched only when asked for by name.
    pub(crate) optional: bool,
}

/// A compiler's own header, as far as the kernel's headers and libc's ask for it: each sets what it wants before.
const STDDEF: &str = "typedef __SIZE_TYPE__ size_t;\ntypedef __PTRDIFF_TYPE__ ptrdiff_t;\ntypedef __WCHAR_TYPE__ wchar_t;\n#ifndef NULL\n#define NULL ((void *)0)\n#endif\n";

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
        texts: &[],
        links: &[("libmujoco.so", "libmujoco.so.3.17.0")],
        optional: false,
    },
    Part {
        name: "robel",
        purpose: "ROBEL's published claw model, which ours is compared with",
        requirement: "robel==0.1.2",
        origin: Origin::Anywhere { sha256: "6f14db7ce37e00e2b9a6ea792fcd5af23e857dea905033531699edb03a86edcc" },
        members: &[],
        texts: &[],
        links: &[],
        optional: false,
    },
    Part {
        name: "benchmarks",
        purpose: "Gymnasium's models of Hopper, Walker2d, HalfCheetah, Ant and Humanoid",
        requirement: "gymnasium==1.4.0",
        origin: Origin::Anywhere { sha256: "1cb947c59e7c72d8eabb2c2274c00cd20948e69f8452a9ef4092223be24fdf0e" },
        members: &["gymnasium/envs/mujoco/assets/=assets/", "gymnasium-1.4.0.dist-info/licenses/LICENSE"],
        texts: &[],
        links: &[],
        optional: false,
    },
    Part {
        name: "libclang",
        purpose: "reads the kernel's headers for the camera, in builds; 25 MB",
        requirement: "libclang==18.1.1",
        origin: Origin::Linux {
            x86_64: "c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b",
            aarch64: "54dda940a4a0491a9d1532bf071ea3ef26e6dbaf03b5000ed94dd7174e8f9592",
        },
        members: &["libclang-18.1.1.data/platlib/clang/native/libclang.so=lib/libclang.so"],
        // The wheel is without the headers that a compiler brings, and looks for them here. V4L2's need these.
        texts: &[("lib/clang/18/include/stddef.h", STDDEF)],
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
        texts: &[],
        links: &[],
        optional: true,
    },
    // The package index has torch for x86_64 with CUDA only, 900 MB. Its library for the CPU stands alone but for two small
    // ones of CUDA's, which it is linked with and doesn't call.
    Part {
        name: "tch",
        purpose: "libtorch for the CPU, 900 MB to fetch and 480 MB to keep",
        requirement: "torch==2.9.0",
        origin: Origin::LinuxX86 { sha256: "51de31219c97c51cf4bf2be94d622e3deb5dcc526c6dc00e97c17eaec0fc1d67" },
        members: &[
            "torch/lib/libtorch_cpu.so=lib/libtorch_cpu.so",
            "torch/lib/libc10.so=lib/libc10.so",
            "torch/lib/libgomp.so.1=lib/libgomp.so.1",
            "torch/include/=include/",
            "torch-2.9.0.dist-info/licenses/LICENSE",
        ],
        texts: &[("build-version", "2.9.0")],
        links: &[
            ("lib/libtorch.so", "libtorch_cpu.so"),
            ("lib/libgomp.so", "libgomp.so.1"),
            ("lib/libcudart.so.12", "../../tch-cudart/libcudart.so.12"),
            ("lib/libcupti.so.12", "../../tch-cupti/libcupti.so.12"),
        ],
        optional: true,
    },
    Part {
        name: "tch-cudart",
        purpose: "a library of CUDA's that libtorch is linked with",
        requirement: "nvidia-cuda-runtime-cu12==12.8.90",
        origin: Origin::LinuxX86 { sha256: "adade8dcbd0edf427b7204d480d6066d33902cab2a4707dcfc48a2d0fd44ab90" },
        members: &["nvidia/cuda_runtime/lib/libcudart.so.12"],
        texts: &[],
        links: &[],
        optional: true,
    },
    Part {
        name: "tch-cupti",
        purpose: "another one",
        requirement: "nvidia-cuda-cupti-cu12==12.8.90",
        origin: Origin::LinuxX86 { sha256: "ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182" },
        members: &["nvidia/cuda_cupti/lib/libcupti.so.12"],
        texts: &[],
        links: &[],
        optional: true,
    },
];

impl Part {
    /// Whether set-up was asked for this part: by its name, or by that of the one that it belongs to (`tch-cupti` to
    /// `tch`), with or without dashes before it.
    pub(crate) fn is_asked_for(&self, argument: &str) -> bool {
        let name = argument.trim_start_matches('-');
        self.name == name || self.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
    }

    /// The archive's hash and pip's options for this machine.
    ///
    /// # Errors
    /// With the kinds of machines there are, when this isn't one.
    pub(crate) fn here(&self) -> Result<(&'static str, Vec<String>), &'static str> {
        let (sha256, platform) = match (self.origin, std::env::consts::OS, std::env::consts::ARCH) {
            (Origin::Anywhere { sha256 }, _, _) => return Ok((sha256, Vec::new())),
            (Origin::Linux { x86_64, .. }, "linux", "x86_64") => (x86_64, "--platform=manylinux_2_28_x86_64"),
            (Origin::Linux { aarch64, .. }, "linux", "aarch64") => (aarch64, "--platform=manylinux_2_28_aarch64"),
            (Origin::LinuxX86 { sha256 }, "linux", "x86_64") => (sha256, "--platform=manylinux_2_28_x86_64"),
            (Origin::LinuxX86 { .. }, ..) => return Err("linux x86_64"),
            _ => return Err("linux x86_64, linux aarch64"),
        };
        let older = platform.replace("_2_28_", "2014_");
        Ok((sha256, WHEEL.into_iter().map(String::from).chain([platform.into(), older]).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_a_sha256_and_every_requirement_is_pinned() {
        for part in PARTS {
            let hashes: Vec<_> = match part.origin {
                Origin::Anywhere { sha256 } | Origin::LinuxX86 { sha256 } => vec![sha256],
                Origin::Linux { x86_64, aarch64 } => vec![x86_64, aarch64],
            };
            for hash in hashes {
                assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{}: {hash}", part.name);
            }
            assert!(part.requirement.contains("=="), "{}", part.requirement);
            let linked = part.links.iter().all(|(_, target)| !target.starts_with('/'));
            assert!(linked, "{}: a folder that can be moved has links within itself or to its neighbours", part.name);
        }
    }
}

//! Gives the binary and the tests the run paths of libmujoco and, with the feature tch, libtorch, and the commit they were built from.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=MUJOCO_DYNAMIC_LINK_DIR");
    if let Ok(folder) = std::env::var("MUJOCO_DYNAMIC_LINK_DIR") {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if let (Ok(folder), Ok(_)) = (std::env::var("LIBTORCH"), std::env::var("CARGO_FEATURE_TCH")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}/lib");
    }
    println!("cargo:rerun-if-changed=.git/logs/HEAD");
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit = commit.ok().filter(|o| o.status.success()).and_then(|o| String::from_utf8(o.stdout).ok());
    println!("cargo:rustc-env=TURNKEY_COMMIT={}", commit.as_deref().map_or("unknown", str::trim));
}

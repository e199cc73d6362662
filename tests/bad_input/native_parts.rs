//! Native parts that are missing or broken.

use crate::check_words;
use crate::support::{TURNKEY, contents, said, turnkey, words, workplace};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the build looks for libmujoco, as .cargo/config.toml says it; the path names the command that fills it.
fn native() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config: toml::Table = toml::from_str(&fs::read_to_string(root.join(".cargo/config.toml")).unwrap()).unwrap();
    root.join(config["env"]["MUJOCO_DYNAMIC_LINK_DIR"]["value"].as_str().unwrap())
}

#[test]
fn a_build_without_set_up_says_which_command_is_missing() {
    let built = Path::new(TURNKEY).parent().unwrap().join("build");
    let scripts = fs::read_dir(&built).unwrap().flatten().map(|entry| entry.path().join("build-script-build"));
    let physics = |path: &PathBuf| path.to_string_lossy().contains("/mujoco-rs-") && path.exists();
    let script = { scripts }.find(physics).expect("the physics crate's build script was built");
    let folder = workplace();
    let absent = native().to_string_lossy().replace(env!("CARGO_MANIFEST_DIR"), "/a/fresh/clone");
    let mut command = Command::new(script);
    command.current_dir(folder.path()).env("MUJOCO_DYNAMIC_LINK_DIR", &absent).env("OUT_DIR", folder.path());
    command.env_remove("MUJOCO_STATIC_LINK_DIR").env("CARGO_CFG_TARGET_OS", std::env::consts::OS);
    let said = said(command.output().unwrap());
    assert_ne!(said.code, Some(0));
    assert!(said.err.contains(&absent) && absent.contains("made-by-cargo-xtask-setup"), "{}", said.err);
}

#[test]
fn a_program_without_its_libmujoco_says_what_it_looks_for() {
    const NO_COVER: i32 = 99;
    let folder = workplace();
    let script =
        format!("mount -t tmpfs tmpfs '{}' || exit {NO_COVER}; {TURNKEY} train small.toml", native().display());
    let mut command = Command::new("unshare");
    command.current_dir(folder.path()).env_remove("LD_LIBRARY_PATH");
    let said = match command.args(["--map-root-user", "--mount", "sh", "-c", &script]).output().map(said) {
        Ok(said) if said.code != Some(NO_COVER) && !said.err.starts_with("unshare: ") => said,
        _ => return println!("not tried: a folder can't be covered here (unshare, tmpfs)"),
    };
    assert_eq!(said.code, Some(127), "{}{}", said.out, said.err);
    assert!(said.err.contains("libmujoco.so"), "{}", said.err);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn model_files_that_are_missing_or_broken_are_named_with_the_command_that_fetches_them() {
    let folder = workplace();
    let line = "train small.toml --set twin.model=robel";
    let robel = |says: &[&str]| {
        let before = contents(folder.path());
        let mut command = turnkey(folder.path(), words(line));
        let said = said(command.env("TURNKEY_ROBEL_DIR", folder.path().join("models")).output().unwrap());
        check_words(line, &said, &[&["fix: fetch them by `cargo xtask setup`", "models"], says].concat());
        assert!(contents(folder.path()) == before, "something was left behind");
    };
    let scene = "models/robel/dclaw/assets/dclaw3xh_valve3_v0.xml";
    robel(&[scene, "can't be read", "No such file"]);
    fs::create_dir_all(folder.path().join(scene).parent().unwrap()).unwrap();
    fs::write(folder.path().join(scene), "<mujoco><worldbody><oops").unwrap();
    robel(&["MuJoCo can't read the model \"robel\"", "XML"]);
    fs::write(folder.path().join(scene), "<mujoco><worldbody/></mujoco>").unwrap();
    robel(&["the model \"robel\" is not of the claw", "expected", "got"]);
    fs::write(folder.path().join(scene), "<mujoco><include file=\"part.xml\"/></mujoco>").unwrap();
    robel(&["part.xml can't be read"]);
    fs::write(folder.path().join(scene), [0xff, 0xfe]).unwrap();
    robel(&["dclaw3xh_valve3_v0.xml can't be read", "UTF-8"]);
}

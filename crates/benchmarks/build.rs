//! Gives the integration tests, which run on the twin, the run path of libmujoco.
fn main() {
    println!("cargo:rerun-if-env-changed=MUJOCO_DYNAMIC_LINK_DIR");
    if let Ok(folder) = std::env::var("MUJOCO_DYNAMIC_LINK_DIR") {
        println!("cargo:rustc-link-arg-tests=-Wl,-rpath,{folder}");
    }
}

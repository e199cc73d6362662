//! ROBEL's D'Claw as one MJCF text, put together from the files that `cargo xtask setup` fetches.

use crate::ModelError;
use std::fs;
use std::path::{Path, PathBuf};

/// The turning scene, in the folder with ROBEL's files.
pub(crate) const SCENE: &str = "robel/dclaw/assets/dclaw3xh_valve3_v0.xml";
const MAX_DEPTH: usize = 8;

/// The folder with ROBEL's files: `TURNKEY_ROBEL_DIR`, or else beside the libmujoco that was built against.
pub(crate) fn folder() -> Result<PathBuf, ModelError> {
    let beside = || option_env!("MUJOCO_DYNAMIC_LINK_DIR").map(|libmujoco| Path::new(libmujoco).join("../robel"));
    std::env::var_os("TURNKEY_ROBEL_DIR").map(PathBuf::from).or_else(beside).ok_or(ModelError::NoFolder)
}

/// The text of the turning scene, with every include in its place and mesh folders made absolute. The second
/// claw that the scene overlays to show goals is left out: it adds nine joints that touch nothing.
pub(crate) fn xml(folder: &Path) -> Result<String, ModelError> {
    let scene = folder.join(SCENE);
    let assets = scene.parent().unwrap_or(folder).to_path_buf();
    let text = expand(&scene, &assets, 0)?;
    let dclaw = folder.join("robel/robel-scenes/dclaw");
    Ok(text.replace("\"../../robel-scenes/dclaw\"", &format!("\"{}\"", dclaw.display())))
}

/// One file's content with its includes, which are named relative to the scene's folder, in their places.
fn expand(path: &Path, assets: &Path, depth: usize) -> Result<String, ModelError> {
    if depth > MAX_DEPTH {
        return Err(ModelError::TooDeep { path: path.into(), depth: MAX_DEPTH });
    }
    let text = fs::read_to_string(path).map_err(|source| ModelError::Missing { path: path.to_path_buf(), source })?;
    let mut out = String::new();
    let mut rest = body(&text);
    while let Some(start) = rest.find("<include") {
        out.push_str(&rest[..start]);
        let Some(end) = rest[start..].find("/>").map(|length| start + length + 2) else { break };
        let file = rest[start..end].split('"').nth(1).unwrap_or_default();
        if !file.ends_with("_overlay.xml") {
            out.push_str(&expand(&assets.join(file), assets, depth + 1)?);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    Ok(out)
}

/// A file's content without its XML declaration and the licence comment that stands before it, which MuJoCo
/// 3 refuses, and without the element that wraps an included file.
fn body(text: &str) -> &str {
    let text = text.split_once("?>").map_or(text, |(_, body)| body).trim();
    let inner = text.strip_prefix("<mujocoinclude").and_then(|text| text.split_once('>'));
    inner.map_or(text, |(_, body)| body.trim_end().strip_suffix("</mujocoinclude>").unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_are_reported_with_the_command_that_fetches_them() {
        let error = xml(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/robel") && error.contains("cargo xtask setup"), "{error}");
    }

    #[test]
    fn licence_comment_declaration_and_wrapper_are_cut() {
        let text = "<!-- licence -->\n<?xml version=\"1.0\"?>\n<mujocoinclude name=\"a\">\n<body/>\n</mujocoinclude>\n";
        assert_eq!(body(text).trim(), "<body/>");
        assert_eq!(body("<?xml version=\"1.0\"?><mujoco/>"), "<mujoco/>");
        assert_eq!(body("<mujoco/>"), "<mujoco/>");
    }
}

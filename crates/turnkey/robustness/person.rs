//! What a person is asked to change about a rig's world, where no program can.

use super::Arm;
use std::io::{BufRead, Write};
use turnkey_env::SceneFamily;

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is arranged.
    Ready,
    /// This one is left out.
    Skip,
}

/// Asks for what `arm` changes about the scene, unless it changes frames alone. Nobody who answers leaves it out.
///
/// # Errors
/// When the question can't be asked.
pub fn ask(arm: &Arm, answers: &mut impl BufRead, out: &mut impl Write) -> std::io::Result<Answer> {
    let Some((family, strength)) = arm.disturbance.scene.iter().next() else { return Ok(Answer::Ready) };
    writeln!(
        out,
        "{}, strength {} of 3: put back what was changed before, and {}, {}.",
        arm.family,
        arm.strength,
        task(*family),
        much(*strength)
    )?;
    loop {
        write!(out, "Enter when it is so, s and Enter to leave it out: ")?;
        out.flush()?;
        let mut line = String::new();
        match (answers.read_line(&mut line)?, line.trim()) {
            (0, _) | (_, "s") => return Ok(Answer::Skip),
            (_, "") => return Ok(Answer::Ready),
            (_, other) => writeln!(out, "expected Enter or s, got {other:?}")?,
        }
    }
}

fn much(strength: f64) -> &'static str {
    match strength {
        s if s < 0.5 => "a third of that",
        s if s < 0.9 => "two thirds of that",
        _ => "all of that",
    }
}

fn task(family: SceneFamily) -> &'static str {
    match family {
        SceneFamily::LightDirection => "move the lamp, up to 60 degrees away from straight above",
        SceneFamily::LightIntensity => "make the light brighter or darker, up to four times",
        SceneFamily::ValveColor => "cover the valve, not its mark, in another colour",
        SceneFamily::MarkColor => "cover the valve's mark in another colour",
        SceneFamily::ClawColor => "cover the fingers in another colour",
        SceneFamily::TableColor => "lay a plain cloth of another colour under the valve",
        SceneFamily::TableTexture => "lay a cloth with a pattern of 6 cm under the valve",
        SceneFamily::Background => "put a pattern behind everything",
        SceneFamily::MovingBackground => "move a pattern behind everything while it turns",
        SceneFamily::Object => "move a ball of up to 6 cm over the table around the valve, out of the fingers' reach",
        SceneFamily::Hand => "reach into the picture with a stick or a glove on one, NOT with your hand, and back",
        SceneFamily::CameraPose => "move the camera by up to 4 cm and turn it by up to 6 degrees",
        SceneFamily::FocalLength => "zoom in or out by up to a fifth",
    }
}

#[cfg(test)]
mod tests {
    use super::super::arms;
    use super::*;

    #[test]
    fn a_person_is_asked_for_scenes_alone_until_the_answer_is_one() {
        let ask_for = |family: &str, answers: &str| {
            let (arm, mut out) = (arms(&[family.into()]).unwrap().remove(1), Vec::new());
            let answer = ask(&arm, &mut answers.as_bytes(), &mut out).unwrap();
            (answer, String::from_utf8(out).unwrap())
        };
        let (answer, said) = ask_for("table_color", "yes\n\n");
        assert_eq!(answer, Answer::Ready);
        assert!(
            said.contains("table_color, strength 2 of 3: put back what was changed before, and lay a plain cloth")
                && said.contains("two thirds"),
            "{said}"
        );
        assert!(said.contains("got \"yes\""), "{said}");
        assert_eq!(ask_for("hand", "s\n").0, Answer::Skip);
        assert_eq!(ask_for("hand", "").0, Answer::Skip, "nobody is there");
        assert_eq!(ask_for("frame_blur", ""), (Answer::Ready, String::new()));
    }
}

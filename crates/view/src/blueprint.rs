//! How a viewer arranges a run at first sight: the claw on the left, control in the middle, learning on
//! the right.

use crate::paths::{self, TIMELINE};
use crate::scene::Framing;
use rerun::blueprint::{
    Blueprint, BlueprintActivation, BlueprintPanel, ContainerLike, Horizontal, SelectionPanel, Spatial2DView,
    Spatial3DView, Tabs, TimePanel, TimeSeriesView, Vertical,
    components::{Corner2D, PanelState, PlayState},
};
use rerun::external::re_log_types::BlueprintActivationCommand;
use rerun::external::re_sdk_types::blueprint::archetypes::{
    EyeControls3D, LineGrid3D, PlotLegend, TimeAxis, VisibleTimeRanges,
};
use rerun::external::re_sdk_types::datatypes::{TimeInt, TimeRange, TimeRangeBoundary, VisibleTimeRange};
use rerun::log::LogMsg;
use rerun::{AsComponents, RecordingStream, RecordingStreamBuilder, RecordingStreamResult, StoreId, StoreKind};

/// Control curves show this many steps around the time cursor of a recording, or up to that of a live run.
const CONTROL_WINDOW_STEPS: i64 = 200;

/// What the blueprint types have no setting for: (path in the blueprint, setting).
type Settings = Vec<(String, Box<dyn AsComponents>)>;

/// What there is to show, and how.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    /// What a policy sees.
    pub(crate) pictures: bool,
    /// How late steps are.
    pub(crate) lateness: bool,
    /// How a real claw fares.
    pub(crate) health: bool,
    /// While the run goes on: time then follows it; otherwise it waits at the beginning.
    pub(crate) watched: bool,
}

/// Sends the arrangement, with the camera framing the claw where it is known to be.
pub(crate) fn send(stream: &RecordingStream, framing: Option<Framing>, shown: Shown) -> RecordingStreamResult<()> {
    let mut settings = Settings::new();
    let blueprint = arrangement(framing, shown, &mut settings);
    let messages = messages(&blueprint, &settings)?;
    if let Some(id) = messages.first().map(|message| message.store_id().clone()) {
        let activation = BlueprintActivationCommand { blueprint_id: id, make_active: true, make_default: true };
        stream.send_blueprint(messages, activation);
    }
    Ok(())
}

fn arrangement(framing: Option<Framing>, shown: Shown, settings: &mut Settings) -> Blueprint {
    let Shown { pictures, lateness, health, watched } = shown;
    let claw = claw(framing, settings);
    let mut control = |name: &str, path, legend| control(name, path, legend, watched, settings);
    let valve = control("Valve and target (rad)", paths::VALVE, true);
    let joints = ["blue base, orange middle, green top; goals faint", "as above", "as above"];
    let fingers: Vec<_> = (0..paths::FINGERS.len())
        .map(|i| control(&format!("Finger {i} (rad): {}", joints[i]), paths::FINGERS[i], false))
        .collect();
    let action = control("Action: colours as above, fingers 1 and 2 fainter", paths::ACTION, false);
    let reward = control("Reward and its terms", paths::REWARD, true);
    let lateness = lateness.then(|| control("Lateness (ms)", paths::LATENESS, false));
    let health = health.then(|| {
        Tabs::new([
            control("Currents (A)", paths::AMPERES, true),
            control("Temperatures (degrees C)", paths::CELSIUS, true),
            control("Ages and cycle (ms)", paths::TIMES, true),
        ])
        .into()
    });
    let left = match pictures {
        false => Vertical::new([claw, valve]).with_row_shares([3.0, 1.0]),
        true => Vertical::new([claw, seen(), valve]).with_row_shares([3.0, 2.0, 1.0]),
    };
    let left = left.with_name("Claw");
    let middle = fingers.into_iter().chain([action, reward]).chain(lateness).chain(health);
    let middle = Vertical::new(middle).with_name("Control");
    let mut learning = |name: &str, path| learning(name, path, settings);
    let right = Vertical::new([
        learning("Episode return", paths::RETURN),
        learning("Success rate and final error", paths::OUTCOME),
        learning("Q values", paths::Q),
        learning("Losses", paths::LOSSES),
        Tabs::new([
            learning("Temperature", paths::TEMPERATURE),
            learning("Entropy (nats)", paths::ENTROPY),
            learning("Other", paths::OTHER),
        ])
        .into(),
    ]);
    let columns = Horizontal::new([left.into(), middle.into(), right.with_name("Learning").into()]);
    let play = if watched { PlayState::Following } else { PlayState::Paused };
    let time = TimePanel::new().with_state(PanelState::Collapsed).with_timeline(TIMELINE).with_play_state(play);
    Blueprint::new(columns.with_column_shares([5.0, 4.0, 4.0]))
        .with_blueprint_panel(BlueprintPanel::from_state(PanelState::Collapsed))
        .with_selection_panel(SelectionPanel::from_state(PanelState::Collapsed))
        .with_time_panel(time.with_fps(10.0))
}

/// A curve of steps around the time cursor.
fn control(name: &str, path: &str, legend: bool, watched: bool, settings: &mut Settings) -> ContainerLike {
    let view = TimeSeriesView::new(name).with_origin(path).into();
    let (before, after) =
        if watched { (CONTROL_WINDOW_STEPS, 0) } else { (CONTROL_WINDOW_STEPS / 2, CONTROL_WINDOW_STEPS / 2) };
    let boundary = |steps: i64| TimeRangeBoundary::CursorRelative(TimeInt(steps));
    let range = TimeRange { start: boundary(-before), end: boundary(after) };
    let visible = VisibleTimeRange { timeline: TIMELINE.into(), range };
    set(&view, "VisibleTimeRanges", VisibleTimeRanges::new([visible]), settings);
    set(&view, "PlotLegend", PlotLegend::new().with_visible(legend), settings);
    view
}

/// A curve of the whole run.
fn learning(name: &str, path: &str, settings: &mut Settings) -> ContainerLike {
    let view = TimeSeriesView::new(name).with_origin(path).into();
    let range = TimeRange { start: TimeRangeBoundary::Infinite, end: TimeRangeBoundary::Infinite };
    set(&view, "TimeAxis", TimeAxis::new().with_view_range(range), settings);
    set(&view, "PlotLegend", PlotLegend::new().with_corner(Corner2D::LeftTop), settings);
    view
}

/// The newest picture as the policy sees it, and the same with what the critics attend to.
fn seen() -> ContainerLike {
    let seen = Spatial2DView::new("Seen").with_origin(paths::SEEN);
    let attention = Spatial2DView::new("What the critics attend to").with_origin(paths::ATTENTION);
    Horizontal::new([seen.into(), attention.into()]).into()
}

fn claw(framing: Option<Framing>, settings: &mut Settings) -> ContainerLike {
    let view = Spatial3DView::new("Claw and valve").with_origin(paths::CLAW).into();
    set(&view, "LineGrid3D", LineGrid3D::new().with_visible(false), settings);
    if let Some(Framing { center, radius }) = framing {
        // From the front, to the side and above.
        let direction = [0.75, -0.55, 0.36];
        let eye: [f32; 3] = std::array::from_fn(|axis| center[axis] + 2.1 * radius * direction[axis]);
        let eye = EyeControls3D::new().with_position(eye).with_look_target(center).with_eye_up([0.0, 0.0, 1.0]);
        set(&view, "EyeControls3D", eye, settings);
    }
    view
}

fn set(view: &ContainerLike, name: &str, setting: impl AsComponents + 'static, settings: &mut Settings) {
    if let ContainerLike::View(view) = view {
        settings.push((format!("{}/{name}", view.blueprint_path()), Box::new(setting)));
    }
}

/// The blueprint as rerun writes it, followed by the settings, as one store.
fn messages(blueprint: &Blueprint, settings: &Settings) -> RecordingStreamResult<Vec<LogMsg>> {
    let (catcher, caught) = RecordingStreamBuilder::new("turnkey").memory()?;
    let kept = BlueprintActivation { make_active: true, make_default: true };
    blueprint.send(&catcher, kept)?;
    let is_blueprint = |id: &StoreId| id.kind() == StoreKind::Blueprint;
    let mut messages: Vec<_> = caught.take().into_iter().filter(|message| is_blueprint(message.store_id())).collect();
    messages.retain(|message| !matches!(message, LogMsg::BlueprintActivationCommand(_)));
    let Some(id) = messages.first().map(|message| message.store_id().clone()) else { return Ok(messages) };
    let (catcher, caught) = RecordingStreamBuilder::from_store_id(&id).memory()?;
    catcher.set_time_sequence("blueprint", 0);
    for (path, setting) in settings {
        catcher.log(path.as_str(), setting.as_ref())?;
    }
    messages.extend(caught.take().into_iter().filter(|message| matches!(message, LogMsg::ArrowMsg(..))));
    Ok(messages)
}

//! What takes the twin's pictures: one of two renderers, and the pipeline behind it.

use crate::render::EditError;
use crate::scene::Drawing;
use crate::{CameraConfig, Renderer, RendererName, TwinError, opengl};
use mujoco_rs::prelude::*;
use turnkey_core::{Failure, Frame, Kind, Pose, SceneEdit, Stamp};
use turnkey_picture::{Pipeline, RawFormat, RawFrame};

/// A camera, with room for where the shapes are.
pub(crate) struct Eye {
    renderer: Drawn,
    pipeline: Pipeline,
    poses: Vec<Pose>,
}

/// What draws.
enum Drawn {
    Cpu(Box<Renderer>),
    Mujoco(Box<opengl::Renderer>),
}

impl Eye {
    pub(crate) fn new(config: &CameraConfig, model: &MjModel, drawing: &Drawing) -> Result<Self, TwinError> {
        let (scene, camera, size) = (&drawing.scene, config.camera(), config.size);
        let renderer = match config.renderer {
            RendererName::Cpu => Drawn::Cpu(Box::new(Renderer::new(scene, camera, size, config.supersampling))),
            RendererName::Mujoco => {
                Drawn::Mujoco(Box::new(opengl::Renderer::new(model, scene, drawing.elements(), camera, size)?))
            }
        };
        Ok(Self { renderer, pipeline: config.pipeline()?, poses: Vec::new() })
    }

    /// Shows the scene with these changes in place of all earlier ones.
    pub(crate) fn edit(&mut self, edits: &[SceneEdit]) -> Result<(), EditError> {
        match &mut self.renderer {
            Drawn::Cpu(renderer) => renderer.edit(edits),
            Drawn::Mujoco(renderer) => renderer.edit(edits),
        }
    }

    /// What is seen now, by way of the pipeline that a real camera's pictures take.
    pub(crate) fn look(
        &mut self,
        drawing: &Drawing,
        data: &mut MjData<Box<MjModel>>,
        stamp: Stamp,
    ) -> Result<Frame, Failure> {
        let drawn = match &mut self.renderer {
            Drawn::Cpu(renderer) => {
                self.poses.clear();
                self.poses.extend(drawing.poses(data));
                renderer.render(&self.poses, stamp)
            }
            Drawn::Mujoco(renderer) => renderer.render(data, stamp).map_err(|error| Failure::new(Kind::Stop, error))?,
        };
        let raw = RawFrame { format: RawFormat::Rgb8, size: drawn.size(), bytes: drawn.pixels(), stamp };
        self.pipeline.process(&raw).map_err(|error| Failure::new(Kind::Bug, error))
    }
}

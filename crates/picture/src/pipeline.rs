//! The one way from a source's bytes to a frame.

use crate::resize::{Crop, area};
use crate::{PictureError, RawFrame, format::check_size};
use serde::{Deserialize, Serialize};
use turnkey_core::{Frame, FrameSize};

/// What every picture of a source goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineConfig {
    /// The rectangle to look at, in the source's pixels; without it, all of the picture. Where its sides have another
    /// ratio than the output's, the picture is stretched.
    #[serde(default)]
    pub crop: Option<Crop>,
    /// The size of the frames.
    pub output: FrameSize,
}

/// Decodes, crops and resizes pictures to frames, whether they come from the twin, a camera or a recording: a policy
/// sees no difference that isn't in the pictures themselves.
#[derive(Clone, Debug)]
pub struct Pipeline {
    config: PipelineConfig,
    /// The picture's pixels, kept so that the next one finds its memory.
    decoded: Vec<u8>,
}

impl Pipeline {
    /// A pipeline that does what `config` says.
    ///
    /// # Errors
    /// When the output or the crop has no pixels, or more than a picture may have.
    pub fn new(config: PipelineConfig) -> Result<Self, PictureError> {
        check_size("the output", config.output)?;
        if let Some(Crop { width, height, .. }) = config.crop {
            check_size("the crop", FrameSize { width, height })?;
        }
        Ok(Self { config, decoded: Vec::new() })
    }

    /// What it does.
    #[must_use]
    pub fn config(&self) -> &PipelineConfig {
        &self.config
    }

    /// Says whether it can take pictures of this size.
    ///
    /// # Errors
    /// When they have no pixels or too many, or the crop reaches beyond them.
    pub fn check_source(&self, size: FrameSize) -> Result<(), PictureError> {
        check_size("the picture", size)?;
        self.config.crop.map_or(Ok(()), |crop| crop.check_within(size))
    }

    /// The frame of one picture, with the picture's stamp.
    ///
    /// # Errors
    /// When the bytes are not a picture of the format and size announced, or the crop reaches beyond it. The next
    /// picture may be processed all the same.
    pub fn process(&mut self, raw: &RawFrame<'_>) -> Result<Frame, PictureError> {
        let crop = self.config.crop.unwrap_or(Crop::whole(raw.size));
        crop.check_within(raw.size)?;
        raw.decode(&mut self.decoded)?;
        let output = self.config.output;
        let pixels = match crop == Crop::whole(output) && raw.size == output {
            true => self.decoded.as_slice().into(),
            false => area(&self.decoded, raw.size.width, crop, output).into(),
        };
        Ok(crate::frame(raw.stamp, output, pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawFormat;
    use std::time::Duration;
    use turnkey_core::Stamp;

    fn size(width: usize, height: usize) -> FrameSize {
        FrameSize { width, height }
    }

    fn raw(size: FrameSize, bytes: &[u8]) -> RawFrame<'_> {
        RawFrame { format: RawFormat::Gray8, size, bytes, stamp: Stamp(Duration::from_millis(30)) }
    }

    #[test]
    fn a_frame_is_the_resized_crop_with_the_pictures_stamp() {
        let crop = Some(Crop { left: 2, top: 0, width: 2, height: 2 });
        let mut pipeline = Pipeline::new(PipelineConfig { crop, output: size(1, 1) }).unwrap();
        let frame = pipeline.process(&raw(size(4, 2), &[0, 0, 10, 20, 0, 0, 30, 40])).unwrap();
        assert_eq!((frame.pixels(), frame.stamp()), (&[25, 25, 25][..], Stamp(Duration::from_millis(30))));
    }

    #[test]
    fn a_crop_beyond_the_picture_is_refused_and_the_next_picture_is_not() {
        let crop = Some(Crop { left: 1, top: 0, width: 2, height: 1 });
        let mut pipeline = Pipeline::new(PipelineConfig { crop, output: size(2, 1) }).unwrap();
        let error = pipeline.process(&raw(size(2, 1), &[1, 2])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the crop of 2x1 pixels at 1,0: expected to be within the picture, got a picture of 2x1"
        );
        assert_eq!(pipeline.check_source(size(2, 1)), Err(error));
        assert_eq!(pipeline.check_source(size(3, 1)), Ok(()));
        assert_eq!(pipeline.process(&raw(size(3, 1), &[1, 2, 3])).unwrap().pixels(), [2, 2, 2, 3, 3, 3]);
    }

    #[test]
    fn a_pipeline_to_nothing_is_refused() {
        let error = Pipeline::new(PipelineConfig { crop: None, output: size(0, 48) }).unwrap_err();
        assert_eq!(error.to_string(), "the output: expected at least one pixel, got 0x48");
        let crop = Some(Crop { left: 0, top: 0, width: 4, height: 0 });
        assert!(Pipeline::new(PipelineConfig { crop, output: size(48, 48) }).is_err());
    }

    #[test]
    fn a_setting_that_is_none_is_refused() {
        let text = r#"{"output": {"width": 48, "height": 48}, "zoom": 2}"#;
        assert!(serde_json::from_str::<PipelineConfig>(text).unwrap_err().to_string().contains("zoom"));
    }
}

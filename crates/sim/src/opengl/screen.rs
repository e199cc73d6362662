//! OpenGL without a window, through EGL, which is looked for when a program asks for it.

use khronos_egl as egl;
use std::ffi::c_void;
use std::ptr;

/// Of the extensions EGL_EXT_platform_device and EGL_MESA_platform_surfaceless.
const PLATFORM_DEVICE: egl::Enum = 0x313F;
const PLATFORM_SURFACELESS: egl::Enum = 0x31DD;
/// More devices than any machine has.
const DEVICES: usize = 16;

type Egl = egl::DynamicInstance<egl::EGL1_5>;

/// Why there is no OpenGL.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScreenError {
    /// EGL isn't installed.
    #[error(
        "MuJoCo's renderer: expected EGL 1.5 (libEGL.so.1), got: {found}; install the graphics driver's EGL or Mesa's \
         (Debian: libegl1 libegl-mesa0 libgl1-mesa-dri), or leave camera.renderer at \"cpu\""
    )]
    Missing {
        /// What loading it said.
        found: String,
    },
    /// No device gives a context.
    #[error(
        "MuJoCo's renderer: expected a device with desktop OpenGL, got: {found}; leave camera.renderer at \"cpu\" on a \
         machine without one"
    )]
    NoContext {
        /// What the last one tried said.
        found: String,
    },
}

/// An OpenGL context that draws into memory.
pub(crate) struct Screen {
    egl: Egl,
    display: egl::Display,
    context: egl::Context,
}

impl Screen {
    /// A context on the first device that gives one.
    pub(crate) fn open() -> Result<Self, ScreenError> {
        // SAFETY: libEGL is the system's, and loading it has no requirements.
        let egl = unsafe { Egl::load_required_from_filename("libEGL.so.1") };
        let egl = egl.map_err(|error| ScreenError::Missing { found: error.to_string() })?;
        let mut found = "no display".to_owned();
        for display in displays(&egl) {
            match context(&egl, display) {
                Ok(context) => return Ok(Self { egl, display, context }),
                Err(error) => found = error.to_string(),
            }
        }
        Err(ScreenError::NoContext { found })
    }

    /// Does something with the context current on this thread, and on none afterwards.
    pub(crate) fn with<T>(&self, draw: impl FnOnce() -> T) -> Result<T, ScreenError> {
        let current = |context| {
            let made = self.egl.make_current(self.display, None, None, context);
            made.map_err(|error| ScreenError::NoContext { found: error.to_string() })
        };
        current(Some(self.context))?;
        let drawn = draw();
        current(None)?;
        Ok(drawn)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The display is shared by all screens of the process and stays.
        let _ = self.egl.destroy_context(self.display, self.context);
    }
}

/// Displays that need no window system: one for each device, and the one without.
fn displays(egl: &Egl) -> Vec<egl::Display> {
    let get = |platform, device| {
        // SAFETY: `device` is one that EGL listed, or none for the platform that takes none.
        unsafe { egl.get_platform_display(platform, device, &[egl::ATTRIB_NONE]) }.ok()
    };
    let mut displays: Vec<_> = devices(egl).into_iter().filter_map(|device| get(PLATFORM_DEVICE, device)).collect();
    displays.extend(get(PLATFORM_SURFACELESS, ptr::null_mut()));
    displays
}

fn devices(egl: &Egl) -> Vec<*mut c_void> {
    type QueryDevices = unsafe extern "system" fn(egl::Int, *mut *mut c_void, *mut egl::Int) -> egl::Boolean;
    let Some(query) = egl.get_proc_address("eglQueryDevicesEXT") else { return Vec::new() };
    // SAFETY: the extension EGL_EXT_device_enumeration gives the function of this name this type.
    let query = unsafe { std::mem::transmute::<extern "system" fn(), QueryDevices>(query) };
    let (mut devices, mut count) = ([ptr::null_mut(); DEVICES], 0);
    // SAFETY: there is room for as many devices as it is told.
    let told = unsafe { query(DEVICES as egl::Int, devices.as_mut_ptr(), &mut count) };
    let count = if told == egl::TRUE { usize::try_from(count).unwrap_or(0).min(DEVICES) } else { 0 };
    devices[..count].to_vec()
}

fn context(egl: &Egl, display: egl::Display) -> Result<egl::Context, egl::Error> {
    egl.initialize(display)?;
    egl.bind_api(egl::OPENGL_API)?;
    let wanted = [
        (egl::SURFACE_TYPE, egl::PBUFFER_BIT),
        (egl::RENDERABLE_TYPE, egl::OPENGL_BIT),
        (egl::RED_SIZE, 8),
        (egl::GREEN_SIZE, 8),
        (egl::BLUE_SIZE, 8),
        (egl::DEPTH_SIZE, 24),
    ];
    let wanted: Vec<egl::Int> = wanted.into_iter().flat_map(|(key, value)| [key, value]).chain([egl::NONE]).collect();
    let config = egl.choose_first_config(display, &wanted)?.ok_or(egl::Error::BadConfig)?;
    egl.create_context(display, config, None, &[egl::NONE])
}

//! The virtual machine's first file system: an uncompressed archive that the kernel unpacks into memory.

use crate::failure::{Failure, Result};
use crate::process;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A program's own libraries go here, so that none depends on where this machine has them; `init` says so to the loader.
const LIBRARIES: &str = "lib/turnkey";
const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_755;

/// An archive in the format that Linux calls newc (Documentation/driver-api/early-userspace/buffer-format.rst).
#[derive(Default)]
pub(super) struct Image {
    bytes: Vec<u8>,
    names: BTreeSet<String>,
}

impl Image {
    /// Puts `content` at `name`, a path without its leading slash, and makes the folders above it. What is there stays.
    pub(super) fn put(&mut self, name: &str, content: &[u8]) {
        for (at, _) in name.match_indices('/') {
            self.entry(&name[..at], FOLDER, &[]);
        }
        self.entry(name, FILE, content);
    }

    /// An empty folder.
    pub(super) fn folder(&mut self, name: &str) {
        self.entry(name, FOLDER, &[]);
    }

    /// Puts the file at `from` of this machine at `name`.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn copy(&mut self, name: &str, from: &Path) -> Result<()> {
        let content =
            fs::read(from).map_err(|error| Failure::io("a file for the virtual machine was not read", from, &error))?;
        self.put(name, &content);
        Ok(())
    }

    /// Puts a program at `name`, and the libraries that the loader finds for it.
    ///
    /// # Errors
    /// When a file can't be read, or a library isn't found.
    pub(super) fn program(&mut self, name: &str, from: &Path) -> Result<()> {
        self.copy(name, from)?;
        let said = process::listen(Command::new("ldd").arg(from))?;
        if said.output.contains("not found") {
            return Err(Failure::new("a library for the virtual machine is missing")
                .expected("every library that the program needs")
                .came(said.output)
                .fix("cargo xtask setup"));
        }
        for library in said.output.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new) {
            let file = library.file_name().unwrap_or_default().to_string_lossy();
            match file.starts_with("ld-linux") {
                true => self.copy(library.to_string_lossy().trim_start_matches('/'), library)?,
                false => self.copy(&format!("{LIBRARIES}/{file}"), library)?,
            }
        }
        Ok(())
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        if !self.names.insert(name.to_owned()) {
            return;
        }
        let number = self.names.len();
        let (size, name_size) = (content.len(), name.len() + 1);
        // Number, mode, owner, group, links, time, size, the device's and its own numbers, the name's length, no checksum.
        let fields = [number, mode as usize, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        fields.iter().for_each(|field| self.bytes.extend_from_slice(format!("{field:08x}").as_bytes()));
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_each_folder_once_before_its_files_and_starts_entries_at_multiples_of_four() {
        let mut image = Image::default();
        image.put("a/b/c", b"12345");
        image.put("a/b/d", b"");
        let bytes = image.finish();
        let starts: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"070701")).collect();
        assert!(starts.iter().all(|at| at % 4 == 0), "{starts:?}");
        let name = |at: &usize| bytes[at + 110..].split(|byte| *byte == 0).next().map(String::from_utf8_lossy).unwrap();
        assert_eq!(starts.iter().map(name).collect::<Vec<_>>(), ["a", "a/b", "a/b/c", "a/b/d", "TRAILER!!!"]);
        assert_eq!(&bytes[starts[2] + 54..starts[2] + 62], b"00000005", "the size of a/b/c");
        assert_eq!(&bytes[starts[2] + 116..starts[2] + 121], b"12345", "after 110 bytes, the name, and what fills up");
    }
}

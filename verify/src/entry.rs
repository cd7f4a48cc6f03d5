//! The parts of a kernel's entry in the manifest that a device reads.

use kernelpack_abi::{ResourceLimits, exports};

use crate::{
    File, Refused, Text,
    names::{family_of, is_identifier, is_path, is_word},
    platform::Platform,
    scan::{Field, Scanner},
    value::{digest, text},
};

const FIELDS: &[Field] = &[
    ("id", true),
    ("path", true),
    ("hash", true),
    ("entry_point", true),
    ("resource_limits", true),
    ("platforms", false),
    // These fields are only checked to be JSON: the kernel's signature is also in its module, whose digest is checked.
    ("name", true),
    ("description", false),
    ("category", true),
    ("inputs", true),
    ("outputs", true),
    ("scratch", false),
    ("params", false),
    ("init", false),
    ("cleanup", false),
    ("backward", false),
    ("split", false),
    ("benchmarks", false),
    ("health", false),
];

const LIMITS: &[Field] = &[
    ("max_memory_pages", true),
    ("max_epoch_ticks", true),
    ("max_table_elements", true),
    ("max_instances", false),
    ("max_stack_bytes", false),
];

/// The contents of an entry.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'m> {
    pub(crate) id: &'m str,
    pub(crate) module: File<'m>,
    pub(crate) entry_point: &'m str,
    pub(crate) limits: ResourceLimits,
    platforms: Option<Scanner<'m>>,
}

impl<'m> Entry<'m> {
    pub(crate) fn read(scanner: &mut Scanner<'m>) -> Result<Self, Refused> {
        let start = scanner.at();
        let [mut id, mut path, mut entry_point] = [None; 3];
        let (mut hash, mut resource_limits, mut platforms) = (None, None, None);
        scanner.fields(FIELDS, |value, index| {
            match index {
                0 => id = Some(text(value, "id", is_identifier)?),
                1 => path = Some(text(value, "path", is_path)?),
                2 => hash = Some(digest(value)?),
                3 => {
                    let fits = |name: &str| is_identifier(name) && !exports::STANDARD.contains(&name);
                    entry_point = Some(text(value, "entry_point", fits)?);
                }
                4 => resource_limits = Some(limits(value)?),
                5 => {
                    platforms = Some(*value);
                    value.map(|platform, name| {
                        if !name.plain().is_some_and(is_word) {
                            return Err(Refused::Bad { at: platform.at(), field: "platforms" });
                        }
                        Platform::read(platform).map(|_| ())
                    })?;
                }
                _ => value.value().map(|_| ())?,
            }
            Ok(())
        })?;
        let missing = |field| Refused::Missing { at: start, field };
        let (id, path) = (id.ok_or(missing("id"))?, path.ok_or(missing("path"))?);
        if family_of(path, id).is_none() {
            return Err(Refused::Bad { at: scanner.at(), field: "path" });
        }
        let entry = Self {
            id,
            module: File { path, hash: hash.ok_or(missing("hash"))? },
            entry_point: entry_point.ok_or(missing("entry_point"))?,
            limits: resource_limits.ok_or(missing("resource_limits"))?,
            platforms,
        };
        entry.each_platform(&mut |_, platform| platform.check_files(entry.module, scanner.at()))?;
        entry.check_files(scanner.at())
    }

    /// Checks that the entry does not name a file twice.
    fn check_files(self, at: usize) -> Result<Self, Refused> {
        let mut most = 0;
        self.each_file(&mut |file| {
            let mut count = 0;
            self.each_file(&mut |other| {
                count += u32::from(other.eq_ignore_ascii_case(file));
                Ok(())
            })?;
            most = most.max(count);
            Ok(())
        })?;
        if most > 1 { Err(Refused::DuplicateFile { at }) } else { Ok(self) }
    }

    /// Returns whether another kernel's entry claims one of this kernel's files.
    pub(crate) fn shares_files_with(&self, other: &Self) -> Result<bool, Refused> {
        let mut shared = false;
        self.each_file(&mut |file| {
            other.each_file(&mut |theirs| {
                shared |= theirs.eq_ignore_ascii_case(file);
                Ok(())
            })
        })?;
        Ok(shared && self.id != other.id)
    }

    fn each_file(&self, read: &mut dyn FnMut(&'m str) -> Result<(), Refused>) -> Result<(), Refused> {
        read(self.module.path)?;
        self.each_platform(&mut |_, platform| platform.each_file(read))
    }

    /// Reads the entry's platforms. If there are none, any engine can run the kernel.
    pub(crate) fn each_platform(
        &self,
        read: &mut dyn FnMut(Text<'m>, Platform<'m>) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let Some(mut platforms) = self.platforms else { return Ok(()) };
        platforms.map(|value, name| read(name, Platform::read(value)?))
    }
}

fn limits(value: &mut Scanner<'_>) -> Result<ResourceLimits, Refused> {
    let mut limits = ResourceLimits::DEFAULT;
    value.fields(LIMITS, |value, index| {
        let number = value.u32()?;
        let (field, fits) = match index {
            0 => (&mut limits.max_memory_pages, (1..=65_536).contains(&number)),
            1 => (&mut limits.max_epoch_ticks, number > 0),
            2 => (&mut limits.max_table_elements, true),
            3 => (&mut limits.max_instances, (1..=ResourceLimits::MOST_INSTANCES).contains(&number)),
            _ => (&mut limits.max_stack_bytes, ResourceLimits::is_stack_size(number)),
        };
        *field = number;
        if fits { Ok(()) } else { Err(Refused::Bad { at: value.at(), field: "resource_limits" }) }
    })?;
    Ok(limits)
}

//! The JSON Schemas of the files that this crate reads and writes.

/// The manifest's schema for other tools, as JSON Schema draft 2020-12.
///
/// [`Manifest::parse`](crate::Manifest::parse) checks more, such as how fields relate to each other.
pub const JSON_SCHEMA: &str = include_str!("../schema/kernel-pack-v1.json");

/// The schema of [trust stores](crate::TrustStore) for other tools, as JSON Schema draft 2020-12.
///
/// [`TrustStore::parse`](crate::TrustStore::parse) checks more, such as that no key is listed twice.
pub const TRUST_STORE_JSON_SCHEMA: &str = include_str!("../schema/trust-store-v1.json");

#[cfg(test)]
mod tests;

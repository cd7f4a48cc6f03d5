//! The JSON Schemas of the files that this crate reads and writes.

/// The manifest's schema for other tools, as JSON Schema draft 2020-12.
///
/// It says less than [`Manifest::parse`](crate::Manifest::parse) checks: what relates one field to another is beyond it.
pub const JSON_SCHEMA: &str = include_str!("../schema/kernel-pack-v1.json");

/// The schema of [trust stores](crate::TrustStore) for other tools, as JSON Schema draft 2020-12.
///
/// It says less than [`TrustStore::parse`](crate::TrustStore::parse) checks, such as that no key stands twice.
pub const TRUST_STORE_JSON_SCHEMA: &str = include_str!("../schema/trust-store-v1.json");

#[cfg(test)]
mod tests;

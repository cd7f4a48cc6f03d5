//! Logs each change of the active pack, and each failed one, in one place.

use std::path::Path;

use kernelpack_runtime::PackId;

use crate::{Fallback, RollbackError, Swapped, UpgradeError};

pub(crate) fn upgrade(dir: &Path, result: &Result<Swapped, UpgradeError>) {
    let dir = dir.display();
    match result {
        Ok(swapped) if !swapped.is_change() => tracing::debug!(pack = %swapped.to, "the pack is active already"),
        Ok(swapped) => active(swapped, "upgraded"),
        Err(error @ UpgradeError::UnhealthyAfter { .. }) => tracing::warn!(%dir, %error, "upgrade rolled back"),
        Err(error) => tracing::warn!(%dir, %error, "upgrade refused"),
    }
}

pub(crate) fn rollback(result: &Result<Swapped, RollbackError>) {
    match result {
        Ok(Swapped { from, to }) => {
            tracing::warn!(from = from.as_ref().map(tracing::field::display), %to, "rolled back")
        }
        Err(error) => tracing::warn!(%error, "cannot roll back"),
    }
}

pub(crate) fn refresh(result: &Result<Option<Swapped>, UpgradeError>) {
    match result {
        Ok(None) => {}
        Ok(Some(swapped)) => active(swapped, "took over what is active in the store"),
        Err(error) => tracing::warn!(%error, "cannot take over what is active in the store"),
    }
}

pub(crate) fn opened(active: Option<&PackId>, fallback: Option<&Fallback>) {
    match fallback {
        Some(Fallback { unusable, error }) => tracing::warn!(
            %unusable, %error, active = active.map(tracing::field::display),
            "the store's active pack cannot be used"
        ),
        None => tracing::info!(active = active.map(tracing::field::display), "opened the store"),
    }
}

fn active(swapped: &Swapped, message: &'static str) {
    let Swapped { from, to } = swapped;
    tracing::info!(from = from.as_ref().map(tracing::field::display), %to, "{message}");
}

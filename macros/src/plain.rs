//! Formats tokens for messages and docs.

use quote::ToTokens;

/// Formats tokens on one line, with spaces as a person would write them.
pub(crate) fn plain(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let text = text.replace("& ", "&").replace(" < ", "<").replace(" >", ">").replace(" :: ", "::");
    text.strip_prefix("- ").map_or(text.clone(), |positive| format!("-{positive}"))
}

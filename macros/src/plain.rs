//! Tokens in messages and docs.

use quote::ToTokens;

/// Tokens as a person would write them on one line.
pub(crate) fn plain(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let text = text.replace("& ", "&").replace(" < ", "<").replace(" >", ">").replace(" :: ", "::");
    text.strip_prefix("- ").map_or(text.clone(), |positive| format!("-{positive}"))
}

//! The errors of a hardware module, each with its remedy.

use std::path::PathBuf;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

use super::HsmConfig;

/// A hardware module that does not seal or open. `said` is the module's answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the labels, paths and answers of the message")]
pub enum HsmError {
    /// The library is missing or is not one of PKCS#11.
    #[error("{}: can't be loaded as a PKCS#11 library ({said}); set custody.module to the path of the module's library", module.display())]
    Load { module: PathBuf, said: String },
    /// The library does not start.
    #[error("{}: does not start ({said}); check the module's own configuration, and that this user may read it", module.display())]
    Start { module: PathBuf, said: String },
    /// No token has the label.
    #[error(
        "no token {token:?} in the module, which shows {found:?}; set custody.token to the token's label"
    )]
    NoToken { token: String, found: Vec<String> },
    /// Several tokens have the label.
    #[error("several tokens are called {token:?}; give each its own label")]
    ManyTokens { token: String },
    /// The token refuses the PIN.
    #[error("token {token:?} refuses the PIN in {}; put the right one there before the next try, because tokens lock after a few wrong ones", pin_file.display())]
    WrongPin { token: String, pin_file: PathBuf },
    /// The token takes no PIN at all.
    #[error(
        "token {token:?} takes no PIN: it is locked, expired or was never set ({said}); have the token's security officer set a new one"
    )]
    PinUnusable { token: String, said: String },
    /// No key has the label.
    #[error(
        "token {token:?} has no key {key:?}; set custody.key to the label of the key that sealed the root key"
    )]
    NoKey { token: String, key: String },
    /// Several keys have the label.
    #[error(
        "token {token:?} has several keys {key:?}; give the ones that did not seal the root key another label"
    )]
    ManyKeys { token: String, key: String },
    /// The key could leave the token.
    #[error(
        "key {key:?} in token {token:?} is not a private, sensitive, non-extractable AES-256 key; set custody.key to a label not in use, and such a key is made"
    )]
    Unfit { token: String, key: String },
    /// The token can't make AES keys, or does not know AES-GCM.
    #[error(
        "token {token:?} refuses to make AES keys or to use AES-GCM with key {key:?} ({said}); turn CKM_AES_KEY_GEN and CKM_AES_GCM on in the module, and allow the key to encrypt and decrypt"
    )]
    Mechanism { token: String, key: String, said: String },
    /// Another key sealed the root key, or it was changed.
    #[error(
        "key {key:?} in token {token:?} does not open the sealed root key ({said}): another key sealed it, or it is damaged; check custody.token and custody.key, or restore the file from a backup"
    )]
    Sealed { token: String, key: String, said: String },
    /// The sealed bytes open, and are no key.
    #[error("the sealed root key holds {0} bytes instead of 32: restore the file from a backup")]
    Length(usize),
    /// The module fails in some other way.
    #[error("token {token:?} fails ({said}); see the module's own log, then try again")]
    Failed { token: String, said: String },
}

impl HsmError {
    pub(super) fn not_loaded(config: &HsmConfig, e: &Error) -> Self {
        Self::Load { module: config.module.clone(), said: said(e) }
    }

    pub(super) fn not_started(config: &HsmConfig, e: &Error) -> Self {
        Self::Start { module: config.module.clone(), said: said(e) }
    }

    pub(super) fn login_failed(config: &HsmConfig, e: &Error) -> Self {
        use RvError as Rv;
        let token = config.token.clone();
        match e {
            Error::Pkcs11(Rv::PinIncorrect | Rv::PinInvalid | Rv::PinLenRange, _) => {
                Self::WrongPin { token, pin_file: config.pin_file.clone() }
            }
            Error::Pkcs11(Rv::PinLocked | Rv::PinExpired | Rv::UserPinNotInitialized, _) => {
                Self::PinUnusable { token, said: said(e) }
            }
            _ => Self::failed(config, e),
        }
    }

    /// The error of making a key, or of sealing with it.
    pub(super) fn use_failed(config: &HsmConfig, e: &Error) -> Self {
        use RvError as Rv;
        match e {
            Error::NullFunctionPointer
            | Error::Pkcs11(
                Rv::MechanismInvalid
                | Rv::MechanismParamInvalid
                | Rv::FunctionNotSupported
                | Rv::KeyFunctionNotPermitted
                | Rv::KeySizeRange
                | Rv::KeyTypeInconsistent,
                _,
            ) => Self::Mechanism {
                token: config.token.clone(),
                key: config.key.clone(),
                said: said(e),
            },
            _ => Self::failed(config, e),
        }
    }

    /// The error of opening. SoftHSM2 answers `GeneralError` if the tag is wrong.
    pub(super) fn open_failed(config: &HsmConfig, e: &Error) -> Self {
        use RvError as Rv;
        match e {
            Error::Pkcs11(
                Rv::EncryptedDataInvalid
                | Rv::EncryptedDataLenRange
                | Rv::DataInvalid
                | Rv::DataLenRange
                | Rv::SignatureInvalid
                | Rv::GeneralError
                | Rv::FunctionFailed,
                Function::Decrypt,
            ) => Self::not_opened(config, said(e)),
            _ => Self::use_failed(config, e),
        }
    }

    pub(super) fn not_opened(config: &HsmConfig, said: String) -> Self {
        Self::Sealed { token: config.token.clone(), key: config.key.clone(), said }
    }

    pub(super) fn failed(config: &HsmConfig, e: &Error) -> Self {
        Self::Failed { token: config.token.clone(), said: said(e) }
    }
}

/// The answer in a few words, because the library's text is a paragraph of the standard.
fn said(e: &Error) -> String {
    match e {
        Error::Pkcs11(answer, function) => format!("C_{function:?}: {answer:?}"),
        e => e.to_string(),
    }
}

//! Custody by a hardware security module: an AES key that never leaves it seals the root key.
//!
//! Calls block, and run one at a time: PKCS#11 is started and ended for the whole process, so one
//! call must not end it during the session of another.

mod error;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cofferdam_core::{KeyBytes, Rng};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::{RawAuthPin, Ulong};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use error::HsmError;

const AAD: &[u8] = b"cofferdam root key v1";
const IV: usize = 12;
const TAG_BITS: Ulong = Ulong::new(128);
const AES_256: Ulong = Ulong::new(32);

/// The settings of a [`Custody`](crate::Custody) with `provider = "hsm"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HsmConfig {
    /// The PKCS#11 library of the module.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the AES-256 key in the token.
    pub key: String,
    /// The file with the user PIN of the token, mode 0600.
    pub pin_file: PathBuf,
    /// The directories that the library reads and writes, such as its configuration and its tokens.
    /// The process reaches no others.
    #[serde(default)]
    pub library_dirs: Vec<PathBuf>,
    /// TCP ports to which the library connects, if the module is on a network.
    #[serde(default)]
    pub library_ports: Vec<u16>,
}

/// Seals the root key under the key that `config` names. A missing key is made.
pub fn seal_root(
    config: &HsmConfig,
    pin: &[u8],
    root: &KeyBytes,
    rng: &dyn Rng,
) -> Result<Vec<u8>, HsmError> {
    let token = Token::log_in(config, pin, Pkcs11::open_rw_session)?;
    let key = match token.find()? {
        Some(key) => key,
        None => token.generate()?,
    };
    token.check(key)?;
    let sealed = token.seal(key, root, rng.bytes())?;
    // The caller keeps no other copy, so a root key that does not open now would be lost.
    token.open(key, &sealed)?;
    Ok(sealed)
}

/// Opens a root key that [`seal_root`] sealed.
pub fn open_root(config: &HsmConfig, pin: &[u8], sealed: &[u8]) -> Result<KeyBytes, HsmError> {
    let token = Token::log_in(config, pin, Pkcs11::open_ro_session)?;
    let key = token
        .find()?
        .ok_or_else(|| HsmError::NoKey { token: config.token.clone(), key: config.key.clone() })?;
    token.open(key, sealed)
}

/// A token with a session that is logged in. The fields are dropped in this order: the session ends
/// before the library does.
struct Token<'a> {
    config: &'a HsmConfig,
    session: Session,
    _library: Library,
}

type OpenSession = fn(&Pkcs11, Slot) -> Result<Session, Error>;

impl<'a> Token<'a> {
    fn log_in(
        config: &'a HsmConfig,
        pin: &[u8],
        open_session: OpenSession,
    ) -> Result<Self, HsmError> {
        let library = Library::start(config)?;
        let slot = library.slot(config)?;
        let session =
            open_session(&library.pkcs11, slot).map_err(|e| HsmError::failed(config, &e))?;
        session
            .login_with_raw(UserType::User, &RawAuthPin::new(Box::new(pin.to_vec())))
            .map_err(|e| HsmError::login_failed(config, &e))?;
        Ok(Self { config, session, _library: library })
    }

    /// The key that the configuration names. A second key with the same label is an error.
    fn find(&self) -> Result<Option<ObjectHandle>, HsmError> {
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Token(true),
            Attribute::Label(self.config.key.as_bytes().to_vec()),
        ];
        match self.session.find_objects(&wanted).map_err(|e| HsmError::failed(self.config, &e))?[..]
        {
            [] => Ok(None),
            [key] => Ok(Some(key)),
            _ => Err(HsmError::ManyKeys {
                token: self.config.token.clone(),
                key: self.config.key.clone(),
            }),
        }
    }

    fn generate(&self) -> Result<ObjectHandle, HsmError> {
        let mut template = Vec::from(guarded());
        template.extend([
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Token(true),
            Attribute::Label(self.config.key.as_bytes().to_vec()),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
        ]);
        self.session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map_err(|e| HsmError::use_failed(self.config, &e))
    }

    /// Refuses a key that could leave the token.
    fn check(&self, key: ObjectHandle) -> Result<(), HsmError> {
        let types = [
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::Private,
            AttributeType::Sensitive,
            AttributeType::Extractable,
        ];
        let has = self
            .session
            .get_attributes(key, &types)
            .map_err(|e| HsmError::failed(self.config, &e))?;
        if guarded().iter().all(|wanted| has.contains(wanted)) {
            return Ok(());
        }
        Err(HsmError::Unfit { token: self.config.token.clone(), key: self.config.key.clone() })
    }

    fn seal(
        &self,
        key: ObjectHandle,
        root: &KeyBytes,
        mut iv: [u8; IV],
    ) -> Result<Vec<u8>, HsmError> {
        let params = gcm(self.config, &mut iv)?;
        let body = self
            .session
            .encrypt(&Mechanism::AesGcm(params), key, root.expose())
            .map_err(|e| HsmError::use_failed(self.config, &e))?;
        // The IV is read only now, because some modules replace it with their own.
        Ok([iv.as_slice(), &body].concat())
    }

    fn open(&self, key: ObjectHandle, sealed: &[u8]) -> Result<KeyBytes, HsmError> {
        let Some((&iv, body)) = sealed.split_first_chunk::<IV>() else {
            return Err(HsmError::not_opened(
                self.config,
                format!("it has only {} bytes", sealed.len()),
            ));
        };
        let mut iv = iv;
        let params = gcm(self.config, &mut iv)?;
        let plain = self
            .session
            .decrypt(&Mechanism::AesGcm(params), key, body)
            .map(Zeroizing::new)
            .map_err(|e| HsmError::open_failed(self.config, &e))?;
        let root = Zeroizing::new(
            <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| HsmError::Length(plain.len()))?,
        );
        Ok(KeyBytes::new(*root))
    }
}

/// The attributes that keep a key inside the token.
fn guarded() -> [Attribute; 5] {
    [
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(AES_256),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ]
}

fn gcm<'a>(config: &HsmConfig, iv: &'a mut [u8; IV]) -> Result<GcmParams<'a>, HsmError> {
    GcmParams::new(iv, AAD, TAG_BITS).map_err(|e| HsmError::failed(config, &e))
}

/// Held while the library is in use.
static ALONE: Mutex<()> = Mutex::new(());

/// The started PKCS#11 library. Nobody else in the process uses it until this is dropped.
struct Library {
    pkcs11: Pkcs11,
    /// Whether this call started the library, and so ends it.
    ours: bool,
    _alone: MutexGuard<'static, ()>,
}

impl Library {
    fn start(config: &HsmConfig) -> Result<Self, HsmError> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let pkcs11 = Pkcs11::new(&config.module).map_err(|e| HsmError::not_loaded(config, &e))?;
        let ours = match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) => true,
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => false,
            Err(e) => {
                return Err(HsmError::not_started(config, &e));
            }
        };
        Ok(Self { pkcs11, ours, _alone: alone })
    }

    /// The slot of the only token with the label.
    fn slot(&self, config: &HsmConfig) -> Result<Slot, HsmError> {
        let slots = self
            .pkcs11
            .get_slots_with_initialized_token()
            .map_err(|e| HsmError::failed(config, &e))?;
        let mut labels = Vec::new();
        for slot in &slots {
            let info =
                self.pkcs11.get_token_info(*slot).map_err(|e| HsmError::failed(config, &e))?;
            labels.push(info.label().to_owned());
        }
        let mut named = slots.iter().zip(&labels).filter(|(_, label)| **label == config.token);
        match (named.next(), named.next()) {
            (Some((slot, _)), None) => Ok(*slot),
            (None, _) => Err(HsmError::NoToken { token: config.token.clone(), found: labels }),
            (Some(_), Some(_)) => Err(HsmError::ManyTokens { token: config.token.clone() }),
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if self.ours {
            // A refusal does no harm: the next start finds the library started.
            let _ = self.pkcs11.clone().finalize();
        }
    }
}

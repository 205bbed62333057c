//! The `keys` compartment as seen from here: each answer is checked against its question.

use cofferdam_core::{
    CallerName, Domain, Epoch, Field, FieldKey, FieldSet, Operation, Personal, Record, Rng,
    SealedAs,
};
use cofferdam_wire::{CallError, Client, Problem, ProblemType};
use keys_api::{
    DomainEpochs, KeyGroup, ReadEpochs, RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys,
};

/// A client of `keys`.
#[derive(Debug)]
pub struct Keys {
    client: Client,
}

/// The keys of one card's fields. They go with the request that asked for them.
#[derive(Debug)]
pub struct CardKeys {
    record: Record,
    epoch: Epoch,
    keys: Vec<(Field, FieldKey)>,
}

impl Keys {
    /// Speaks through `client`.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The keys to read `fields` of one card. Whether `caller` may is for `keys` to say; its
    /// refusal is passed on.
    pub async fn to_read(
        &self,
        caller: &CallerName,
        fields: FieldSet,
        record: Record,
        epoch: Epoch,
    ) -> Result<CardKeys, Problem> {
        let records = vec![record];
        let released = self.ask(caller, Operation::Release, fields, Some(epoch), records).await?;
        released.into_iter().next().ok_or_else(mismatch)
    }

    /// The keys to seal `fields` of new cards, in their order.
    pub async fn to_seal(
        &self,
        caller: &CallerName,
        fields: FieldSet,
        records: Vec<Record>,
    ) -> Result<Vec<CardKeys>, Problem> {
        self.ask(caller, Operation::Seal, fields, None, records).await
    }

    /// The epochs of the cards' master key.
    pub async fn epochs(&self) -> Result<DomainEpochs, CallError> {
        self.client.call(&ReadEpochs { domain: Domain::Payments }).await
    }

    /// The keys of cards under their old epoch and under the new one, to move them: `name` is
    /// the compartment's own.
    pub async fn to_reseal(
        &self,
        name: &CallerName,
        fields: FieldSet,
        records: &[Record],
        epochs: [Epoch; 2],
    ) -> Result<[Vec<CardKeys>; 2], Problem> {
        let group = |epoch| KeyGroup { fields, epoch: Some(epoch), records: records.to_vec() };
        let call = ReleaseKeys {
            domain: Domain::Payments,
            caller: name.clone(),
            operation: Operation::Reseal,
            groups: epochs.map(group).into(),
            warrant: None,
        };
        let answer = self.client.call(&call).await?;
        let right = answer.answers(&call);
        let groups = answer.groups.into_iter().map(|group| card_keys(group, fields));
        let groups: Vec<_> = groups.collect();
        right.then_some(groups).and_then(|groups| groups.try_into().ok()).ok_or_else(mismatch)
    }

    async fn ask(
        &self,
        caller: &CallerName,
        operation: Operation,
        fields: FieldSet,
        epoch: Option<Epoch>,
        records: Vec<Record>,
    ) -> Result<Vec<CardKeys>, Problem> {
        let call = ReleaseKeys {
            domain: Domain::Payments,
            caller: caller.clone(),
            operation,
            groups: vec![KeyGroup { fields, epoch, records }],
            warrant: None,
        };
        let answer = self.client.call(&call).await?;
        matched(&call, fields, answer).ok_or_else(mismatch)
    }
}

/// The keys with the fields that they belong to; `None` when they are not those asked for.
fn matched(
    call: &ReleaseKeys,
    fields: FieldSet,
    mut answer: ReleasedKeys,
) -> Option<Vec<CardKeys>> {
    let right = answer.answers(call);
    let group = answer.groups.pop()?;
    right.then(|| card_keys(group, fields))
}

fn card_keys(group: ReleasedGroup, fields: FieldSet) -> Vec<CardKeys> {
    let with_fields = |RecordKeys { record, keys }| CardKeys {
        record,
        epoch: group.epoch,
        keys: fields.iter().zip(keys).collect(),
    };
    group.records.into_iter().map(with_fields).collect()
}

fn mismatch() -> Problem {
    tracing::error!("keys answered for other cards than it was asked for");
    Problem::new(ProblemType::UPSTREAM, "another compartment's answer is incomplete")
}

impl CardKeys {
    /// The generation of the keys.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Seals a field.
    pub fn seal(&self, field: Field, text: &Personal, rng: &dyn Rng) -> Result<Vec<u8>, Problem> {
        Ok(self.place(field).seal(self.key(field)?, text, rng))
    }

    /// Opens a field.
    pub fn open(&self, field: Field, sealed: &[u8]) -> Result<Personal, Problem> {
        let opened = self.place(field).open(self.key(field)?, sealed);
        opened.map_err(|e| Problem::internal(&e))
    }

    const fn place(&self, field: Field) -> SealedAs {
        SealedAs { record: self.record, field, epoch: self.epoch }
    }

    fn key(&self, field: Field) -> Result<&FieldKey, Problem> {
        let found = self.keys.iter().find(|(of, _)| *of == field);
        found.map(|(_, key)| key).ok_or_else(mismatch)
    }
}

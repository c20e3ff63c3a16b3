"""Fields of an object and of its parents as SQL expressions; lookups become LEFT JOINs, formulas are computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from workbench.simulators.salesforce.formulas import Term, formula_sql
from workbench.simulators.salesforce.schema import Field, Schema, SObject

ROOT: Final = "t"
_PARENT_LIMIT: Final = 5
_KINDS: Final = {"VARCHAR": "text", "BOOLEAN": "boolean", "DOUBLE": "number", "BIGINT": "number"}
_ADVICE: Final = (
    "be sure to append the '{suffix}' after the custom {what} name. Please reference your WSDL or the describe call "
    "for the appropriate names."
)


class UnknownPath(Exception):
    """A field or relationship that this object does not have, or that is hidden; the text is Salesforce's."""


@dataclass(frozen=True)
class Parent:
    """One joined parent: the lookups walked to it, its table's alias, the lookup and the alias it hangs on."""

    path: tuple[str, ...]
    alias: str
    sobject: SObject
    reference: Field
    child_alias: str


@dataclass(frozen=True)
class Reached:
    """What a path leads to: the SQL, the field, and the canonical spelling of the path."""

    sql: exp.Expr
    field: Field
    path: tuple[str, ...]


def _in_formula(reached: Reached, of: Field) -> Term:
    """A field as the formula field `of` sees it: 60 % is 0.6, and a blank number may be zero."""
    kind, value = _KINDS.get(reached.field.stored_type, "other"), reached.sql
    if kind == "number" and of.reads_blanks_as_zero:
        value = exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
    if reached.field.type == "percent":
        return Term(exp.paren(exp.Div(this=value, expression=exp.Literal.number(100))), kind)
    return Term(value, kind)


class Scope:
    """One object as a query sees it. `has_deleted`: deleted parents are seen too (queryAll)."""

    def __init__(self, schema: Schema, sobject: SObject, *, has_deleted: bool = False) -> None:
        self.schema = schema
        self.sobject = sobject
        self.has_deleted = has_deleted
        self.parents: dict[tuple[str, ...], Parent] = {}

    def reach(self, parts: tuple[str, ...], at: tuple[str, ...] = (), *, sees_all: bool = False) -> Reached:
        """The field behind `parts`, walked from the parent `at`. Raises UnknownPath.

        `sees_all`: hidden fields too, as formulas do.
        """
        path, alias, sobject = at, self._alias(at), self._sobject(at)
        for relationship in parts[:-1]:
            parent = self._parent(path, alias, sobject, relationship, sees_all=sees_all)
            path, alias, sobject = parent.path, parent.alias, parent.sobject
        found = sobject.by_name.get(parts[-1].lower()) if sees_all else sobject.field(parts[-1])
        if found is None:
            raise UnknownPath(
                f"No such column '{parts[-1]}' on entity '{sobject.name}'. If you are attempting to use a custom "
                f"field, {_ADVICE.format(suffix='__c', what='field')}"
            )
        return Reached(self._expression(found, path), found, (*path, found.name))

    def id_of(self, path: tuple[str, ...]) -> exp.Expr:
        return exp.column("Id", table=self._alias(path), quoted=True)

    def joins(self) -> list[exp.Join]:
        found = []
        for parent in self.parents.values():
            condition: exp.Expr = exp.EQ(
                this=exp.column("Id", table=parent.alias, quoted=True),
                expression=exp.column(parent.reference.name, table=parent.child_alias, quoted=True),
            )
            if "isdeleted" in parent.sobject.by_name and not self.has_deleted:
                condition = exp.and_(condition, exp.not_(exp.column("IsDeleted", table=parent.alias, quoted=True)))
            table = exp.table_(parent.sobject.name, quoted=True, alias=parent.alias)
            found.append(exp.Join(this=table, on=condition, side="LEFT"))
        return found

    def _alias(self, path: tuple[str, ...]) -> str:
        return self.parents[path].alias if path else ROOT

    def _sobject(self, path: tuple[str, ...]) -> SObject:
        return self.parents[path].sobject if path else self.sobject

    def _parent(
        self, path: tuple[str, ...], alias: str, sobject: SObject, relationship: str, *, sees_all: bool
    ) -> Parent:
        reference = sobject.related(relationship, sees_all=sees_all)
        target = self.schema.target(reference) if reference else None
        if reference is None or reference.relationship_name is None or target is None:
            raise UnknownPath(
                f"Didn't understand relationship '{relationship}' in field path. If you are attempting to use a custom "
                f"relationship, {_ADVICE.format(suffix='__r', what='relationship')}"
            )
        full = (*path, reference.relationship_name)
        if len(full) > _PARENT_LIMIT:
            raise UnknownPath(f"SOQL relationship paths cannot have more than {_PARENT_LIMIT} levels")
        if full not in self.parents:
            self.parents[full] = Parent(full, f"p{len(self.parents)}", target, reference, alias)
        return self.parents[full]

    def _expression(self, found: Field, path: tuple[str, ...]) -> exp.Expr:
        sobject = self._sobject(path)
        if found.formula is not None:
            value = formula_sql(found.formula, lambda parts: _in_formula(self.reach(parts, path, sees_all=True), found))
            if found.type == "percent":
                return exp.Mul(this=exp.paren(value), expression=exp.Literal.number(100))
            return exp.Coalesce(this=value, expressions=[exp.false()]) if found.type == "boolean" else value
        parts = [part for part in sobject.parts_of(found.name) if sobject.is_computed(found)]
        if found.is_compound:
            return self._address(found, parts, path)
        if parts:
            return self._person_name(parts, path)
        return exp.column(found.name, table=self._alias(path), quoted=True)

    def _person_name(self, parts: list[Field], path: tuple[str, ...]) -> exp.Expr:
        """First and last name with a space; the salutation is a part of the compound but not of this text."""
        by_name = {part.name: part for part in parts}
        words = [self._expression(by_name[name], path) for name in ("FirstName", "LastName") if name in by_name]
        joined = exp.Anonymous(this="concat_ws", expressions=[exp.Literal.string(" "), *words])
        return exp.Nullif(this=joined, expression=exp.Literal.string(""))

    def _address(self, found: Field, parts: list[Field], path: tuple[str, ...]) -> exp.Expr:
        """A JSON object of the parts, keys as in REST (`postalCode`); null where all parts are."""
        prefix = found.name.removesuffix("Address")
        keyed: list[exp.Expr] = []
        for part in sorted(parts, key=lambda part: part.name):
            key = part.name.removeprefix(prefix)
            keyed += [exp.Literal.string(key[0].lower() + key[1:]), self._expression(part, path)]
        values = [value for index, value in enumerate(keyed) if index % 2]
        some = exp.Coalesce(
            this=exp.cast(values[0], "varchar"), expressions=[exp.cast(value, "varchar") for value in values[1:]]
        )
        return exp.If(
            this=exp.Not(this=exp.Is(this=some, expression=exp.null())),
            true=exp.cast(exp.Anonymous(this="json_object", expressions=keyed), "varchar"),
        )

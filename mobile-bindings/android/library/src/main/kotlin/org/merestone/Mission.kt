package org.merestone

/**
 * What the parties agreed on, as far as an app shows it.
 *
 * @property name as the parties wrote it
 * @property parties by number
 * @property scopes in the order of the charter
 */
public data class Mission(
    public val id: MissionId,
    public val name: String,
    public val parties: List<Party>,
    public val scopes: List<Scope>,
)

/**
 * A state or body that certifies observers.
 *
 * @property number unique within the mission
 * @property key its root key, 64 hex digits
 */
public data class Party(public val number: Long, public val name: String, public val key: String)

/** A part of the mission, see [ScopeId]. */
public data class Scope(public val id: ScopeId, public val name: String)

package org.merestone.surface

import java.io.DataInputStream
import java.io.File

/**
 * What a compiled class touches of others, as the pool of constants at its head says it ("The Java Virtual Machine
 * Specification", 4.4).
 *
 * @property classes those that it names, as `org/merestone/Phone`
 * @property interfaces those that it implements
 * @property members what its code reads and calls, as `org/merestone/Phone.isOpen`, without what Kotlin adds behind a `-` to
 *   names of functions that take value classes
 */
internal class ClassFile(file: File) {
    val classes: Set<String>
    val interfaces: Set<String>
    val members: Set<String>

    private val texts = HashMap<Int, String>()
    private val names = HashMap<Int, Int>()
    private val pairs = HashMap<Int, Pair<Int, Int>>()
    private val memberPairs = ArrayList<Pair<Int, Int>>()

    init {
        DataInputStream(file.inputStream().buffered()).use { from ->
            from.skipNBytes(MAGIC_AND_VERSION)
            val end = from.readUnsignedShort()
            var at = 1
            while (at < end) at += readConstant(from, at)
            from.skipNBytes(ACCESS_AND_NAMES)
            interfaces = List(from.readUnsignedShort()) { className(from.readUnsignedShort()) }.toSet()
        }
        classes = names.keys.map(::className).toSet()
        members = memberPairs.map { (owner, member) -> "${className(owner)}.${memberName(member)}" }.toSet()
    }

    /** Reads the constant at a place of the pool, and says how many places it takes. */
    private fun readConstant(from: DataInputStream, at: Int): Int {
        val tag = from.readUnsignedByte()
        when (tag) {
            TEXT -> texts[at] = from.readUTF()
            CLASS -> names[at] = from.readUnsignedShort()
            FIELD, METHOD, INTERFACE_METHOD -> memberPairs += readPair(from)
            NAME_AND_TYPE -> pairs[at] = readPair(from)
            STRING, METHOD_TYPE, MODULE, PACKAGE -> from.skipNBytes(2)
            METHOD_HANDLE -> from.skipNBytes(3)
            INT, FLOAT, DYNAMIC, INVOKE_DYNAMIC -> from.skipNBytes(4)
            LONG, DOUBLE -> from.skipNBytes(8)
            else -> error("a class file has no constant of kind $tag")
        }
        return if (tag == LONG || tag == DOUBLE) 2 else 1
    }

    private fun readPair(from: DataInputStream) = Pair(from.readUnsignedShort(), from.readUnsignedShort())

    private fun className(at: Int) = texts.getValue(names.getValue(at))

    private fun memberName(at: Int) = texts.getValue(pairs.getValue(at).first).substringBefore('-')

    private companion object {
        const val MAGIC_AND_VERSION = 8L
        const val ACCESS_AND_NAMES = 6L

        const val TEXT = 1
        const val INT = 3
        const val FLOAT = 4
        const val LONG = 5
        const val DOUBLE = 6
        const val CLASS = 7
        const val STRING = 8
        const val FIELD = 9
        const val METHOD = 10
        const val INTERFACE_METHOD = 11
        const val NAME_AND_TYPE = 12
        const val METHOD_HANDLE = 15
        const val METHOD_TYPE = 16
        const val DYNAMIC = 17
        const val INVOKE_DYNAMIC = 18
        const val MODULE = 19
        const val PACKAGE = 20
    }
}

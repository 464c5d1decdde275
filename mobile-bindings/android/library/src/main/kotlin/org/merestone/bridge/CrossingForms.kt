package org.merestone.bridge

import org.merestone.Form
import org.merestone.FormHash
import org.merestone.FormLanguage
import org.merestone.Forms
import org.merestone.crossing.FormLine
import java.io.File
import org.merestone.crossing.Phone as RawPhone

internal class CrossingForms(private val raw: RawPhone) : Forms {
    override suspend fun all(): List<Form> = crossing { raw.forms() }.map { it.told() }

    override suspend fun add(file: File, beside: List<File>): FormHash =
        FormHash(crossing { raw.addForm(file.absolutePath, beside.map { it.absolutePath }) })
}

internal fun FormLine.told() = Form(
    hash = FormHash(hash),
    kind = kind,
    title = title,
    version = version,
    canBeAsked = canBeAsked,
    languages = languages.map { FormLanguage(it.name, it.code, it.isRightToLeft) },
    defaultLanguage = defaultLanguage?.count(),
)

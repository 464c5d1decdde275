// One AAR: the library for three processors, the generated code, the façade, the phone's own providers, the view models.
// Needs the Android SDK and what build-library.sh made; neither is there where the project's own tests run, so this file
// is not run by them. The README says how it is run, and where the AAR comes out.
plugins {
    id("com.android.library") version "8.13.0"
    kotlin("android") version "2.2.20"
    `maven-publish`
}

val rust = layout.projectDirectory.dir("../build/rust")

android {
    namespace = "org.merestone"
    compileSdk = 36
    // The first that aligns to 16 KiB by itself.
    ndkVersion = "28.2.13676358"
    defaultConfig {
        // 26: Android 8, the oldest with java.time and java.nio.file; older phones get no security updates anyway.
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    sourceSets["main"].apply {
        kotlin.srcDirs(
            rust.dir("kotlin"),
            "../library/src/main/kotlin",
            "../library/src/android/kotlin",
            "../screens/src/main/kotlin",
        )
        if (rust.file("with-audit").asFile.exists()) kotlin.srcDir("../library/src/audit/kotlin")
        jniLibs.srcDir(rust.dir("jniLibs"))
        // LICENCES.txt travels with what it is about.
        assets.srcDir("../licences")
    }
    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

kotlin { compilerOptions { jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_17) } }

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
    // The AAR: the jar has no native half for Android.
    implementation("net.java.dev.jna:jna:5.18.1@aar")
}

// A library that some devices cannot load, or with another SQLite's names, must not get into the AAR.
val checkLibraries by tasks.registering(Exec::class) {
    workingDir = file("../../..")
    val libraries = fileTree(rust.dir("jniLibs")) { include("*/libmerestone_ffi.so") }
    doFirst { check(libraries.files.size == 3) { "run build-library.sh first: ${libraries.files.size} of 3 libraries" } }
    commandLine(listOf("cargo", "run", "--quiet", "-p", "merestone-bindgen", "--", "check") + libraries.files)
}

tasks.named("preBuild") { dependsOn(checkLibraries) }

publishing {
    publications {
        register<MavenPublication>("release") {
            groupId = "org.merestone"
            artifactId = "merestone-android"
            version = "0.1.0"
            afterEvaluate { from(components["release"]) }
        }
    }
}
